"""A browser without a screen, driven by the Chrome DevTools Protocol; it notes what goes wrong.

https://chromedevtools.github.io/devtools-protocol/ over the socket that Chromium opens: the few
commands that these tests need are shorter than a driver and its download.
"""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
PATIENCE = 60.0  # seconds; a test machine may be busy
_CODES = {"Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowRight": 39}


@dataclass
class Browser:
    """One open tab.

    asked: addresses that it requested. errors: exceptions, console errors and refusals by the
    content policy, in words. paused: ids of requests that wait, where `Fetch.enable` was called.
    """

    socket: Connection
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    _number: int = 0
    _loaded: bool = False

    def call(self, method: str, **parameters: Any) -> Any:
        """Send one command and return its result; events that come meanwhile are noted."""
        self._number += 1
        self.socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                assert "error" not in message, message["error"]
                return message["result"]
            self._note(message)

    def open(self, address: str) -> None:
        """Load an address and wait until it is loaded."""
        self._loaded = False
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript expression is true; a page that is being replaced has none."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if self.run(condition):
                    return
            except AssertionError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"never true: {condition}; errors: {self.errors}")

    def press(self, key: str) -> None:
        """Press and release one key."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = _CODES.get(key, ord(key.upper()) if len(key) == 1 else 0)
        pressed = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def show(self, width: int, height: int, *, dark: bool) -> None:
        """Give the window a size in pixels, and choose the theme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[theme])

    def _note(self, message: dict[str, Any]) -> None:
        method, detail = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.asked.append(detail["request"]["url"])
        elif method == "Fetch.requestPaused":
            self.paused.append(detail["requestId"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(detail["exceptionDetails"]))
        elif method == "Log.entryAdded" and detail["entry"]["level"] in {"error", "warning"}:
            self.errors.append(f"{detail['entry']['text']} {detail['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and detail["type"] in {"error", "warning"}:
            self.errors.append(str(detail["args"]))


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium with a profile of its own under `folder`, and end it."""
    profile = folder / "profile"
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-quic", "--remote-debugging-port=0",
        f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_find_tab(profile / "DevToolsActivePort"), max_size=None) as socket:
            browser = Browser(socket)
            for domain in ("Page", "Runtime", "Log", "Network"):
                browser.call(f"{domain}.enable")
            yield browser
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _find_tab(port_file: Path) -> str:
    """Return the address of the socket of the one tab, once the browser has written its port."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        lines = port_file.read_text().splitlines() if port_file.exists() else []
        if len(lines) == 2:
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json") as answer:
                tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise AssertionError("chromium did not start")
