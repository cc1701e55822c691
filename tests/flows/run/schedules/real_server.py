"""`prefect server start` as a user starts it, and the commands that talk to it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.flows.command import KEPT, ROOT

T = TypeVar("T")
PATIENCE = 240.0  # seconds; machines are busy at times


@dataclass
class RealServer:
    """A Prefect server in a process of its own; `settings` are environment variables."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: find_port())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """What a user of this server has set, and what a process needs."""
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        return kept | {
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(ROOT),
            **self.settings,
        }

    def start(self) -> "subprocess.Popen[bytes]":
        self.home.mkdir(exist_ok=True)
        command = ["-m", "prefect", "server", "start", "--port", str(self.port), "--no-ui"]
        with (self.home / "server.log").open("ab") as log:
            process = start_python(command, environment=self.environment, log=log)
        wait_for(self.answers, "the server", log=self.home / "server.log", process=process)
        return process

    def answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer,  # noqa: S310 - ours
        ):
            return bool(answer.status == 200)
        return False

    def post(self, path: str, **body: object) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own server
            return json.load(answer)

    def list_runs(self, *, deployment: str | None = None) -> list[dict[str, Any]]:
        """Return the runs that were due or began, oldest first; of a deployment alone if named."""
        only = {"deployments": {"name": {"any_": [deployment]}}} if deployment else {}
        runs = self.post("/flow_runs/filter", sort="EXPECTED_START_TIME_ASC", **only)
        return [run for run in runs if run["state_name"] != "Scheduled"]

    def find_run(self, state: str, *, deployment: str) -> dict[str, Any] | None:
        """Return the first run of a deployment that is in the state."""
        runs = self.list_runs(deployment=deployment)
        return next((run for run in runs if run["state_name"] == state), None)


@contextlib.contextmanager
def run_server(
    home: Path, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[RealServer, "subprocess.Popen[bytes]"]]:
    """Run a server while inside."""
    server = RealServer(home, settings or {})
    process = server.start()
    try:
        yield server, process
    finally:
        end(process)


@contextlib.contextmanager
def run_schedule(
    server: RealServer, config: Path, *options: str, **settings: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `weakspot schedule` while inside; its log is schedule.log beside the audit."""
    log = config.parent / "schedule.log"
    with log.open("ab") as file:
        process = start_python(
            ["-m", "flows.commands.app", "schedule", str(config), *options],
            environment=server.environment | settings,
            log=file,
        )
    try:
        wait_for(
            lambda: "Ctrl-C ends it" in log.read_text(), "the schedule", log=log, process=process
        )
        yield process
    finally:
        end(process)


def start_python(
    arguments: list[str], *, environment: Mapping[str, str], log: Any
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=dict(environment),
        start_new_session=True,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that this test started, and what it started in its session."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(
    ask: Callable[[], T | None],
    what: str,
    *,
    log: Path | None = None,
    process: "subprocess.Popen[bytes] | None" = None,
) -> T:
    """Return the first true answer; fails, with the log, when there is none in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        if answer := ask():
            return answer
        time.sleep(0.3)
    raise AssertionError(f"{what} did not come\n{log.read_text()[-3000:] if log else ''}")


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
