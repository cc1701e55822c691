"""`weakspot check-labels` without files: the page, from its address to Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.store import open_store
from tests.flows.api.browser import PATIENCE, needs_chromium, open_browser
from tests.flows.command import KEPT, ROOT, call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit

OPTIONS = ("--attribute", "tone", "--budget", "6")


@contextmanager
def start(audit: SmallAudit, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Start the command; give its process, the lines before the address, and the address."""
    command = [sys.executable, "-m", "flows.commands.app", "check-labels", str(audit.config),
               *OPTIONS, *options]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name in KEPT}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    lines = ""
    try:
        while not (found := re.search(r"^Open (http://\S+) ", lines, re.MULTILINE)):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines += line
        yield process, lines, found[1]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def fetch(address: str, form: bytes | None = None) -> str:
    origin = "/".join(address.split("/")[:3])
    request = urllib.request.Request(address, form, {"Origin": origin})  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own
        return str(answer.read().decode())


@pytest.mark.slow
def test_the_page_is_served_beside_a_run_and_ends_with_ctrl_c(small_audit: SmallAudit) -> None:
    labelled = small_audit
    run_directly(labelled.config, ["embed", "label"])
    with start(labelled, "--checker", "ann") as (process, lines, address):
        assert lines.splitlines()[0] == "6 labels to check, by ann: tone"
        page = fetch(address)
        draw = re.search(r'name="draw" value="([^"]+)"', page)
        assert draw is not None
        form = f"draw={draw[1]}&question=0&answer=right".encode()
        assert "1 of 6 answered" in fetch(f"{address}checks/answers", form)
        # A run takes the database and the lock of the workspace while the page is open.
        with open_store(labelled.folder / "workspace").connect(read_only=False):
            assert "1 of 6 answered" in fetch(address)
        run_directly(labelled.config)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "1 of 6 labels have an answer of ann" in out
    assert f"weakspot run {labelled.config}" in out
    with start(labelled, "--checker", "ann") as (_, lines, _):
        assert lines.splitlines()[0] == "5 of 6 labels to check, by ann: tone"


@pytest.mark.slow
def test_the_page_needs_no_prefect_and_reaches_no_other_host(labelled: SmallAudit) -> None:
    script = f"""
import os, signal, sys, threading
sys.addaudithook(lambda event, a: event == "socket.connect" and print("CONNECT", a[1]))
from flows.commands.app import main
threading.Timer(8, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    main(["check-labels", {str(labelled.config)!r}, "--attribute", "tone"])
except SystemExit as end:
    print("exit", end.code)
print(sorted({{"prefect", "torch", "open_clip", "numba"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT,
                          check=True, timeout=120)  # fmt: skip
    assert "Open http://127.0.0.1:" in done.stdout
    assert "CONNECT" not in done.stdout
    assert done.stdout.splitlines()[-2:] == ["exit 0", "[]"]


def wait_for_file(path: Path) -> Path:
    """Wait until a download is whole: it is written under another name until then."""
    until = time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return path


@pytest.mark.slow
@needs_chromium
def test_the_page_as_one_file_saves_answers_that_import_reads(
    labelled: SmallAudit, tmp_path: Path
) -> None:
    folder = labelled.folder / "to send"
    told = call("check-labels", labelled.config, *OPTIONS, "--static", folder, "--checker", "ann")
    assert told.code == 0, told.err
    (page,) = folder.iterdir()
    with open_browser(tmp_path) as browser:
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        browser.open(page.as_uri())
        browser.wait_for("document.querySelector('#picture').complete")
        assert browser.run("document.querySelector('#picture').naturalWidth") == 32
        for key in "yn?yu":
            browser.press(key)
        assert browser.run("document.querySelector('#count').textContent").startswith("3 of 6")
        browser.press("n")
        browser.press("S")
        browser.wait_for("document.querySelector('#saved').textContent.startsWith('Saved 4')")
        saved = wait_for_file(tmp_path / "checks-ann.json")
        browser.open(page.as_uri())  # the browser remembers
        assert browser.run("document.querySelector('#count').textContent").startswith("4 of 6")
        assert browser.errors == []
        others = [url for url in browser.asked if not url.startswith(("data:", "file:", "blob:"))]
        assert others == []
    answers = json.loads(saved.read_text(encoding="utf-8"))["answers"]
    assert [one["answer"] for one in answers] == ["right", "wrong", "cannot say", "wrong"]
    told = call("check-labels", labelled.config, "--import", saved)
    assert (told.code, told.err) == (0, "")
    assert "4 new" in told.out
    checks = Journal(labelled.folder / "workspace").read()
    assert checks["checker"].unique().to_list() == ["ann"]
    assert checks["draw"].unique().to_list() == ["value"]
    assert checks["inclusion"].null_count() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--import", "a.csv", "--port", "8300"), "--port and --open are for the page"),
        (("--static", "there", "--open"), "--port and --open are for the page"),
        (("--budget", "5", "--per-value", "5"), "give one of them"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    small_audit: SmallAudit, options: tuple[str, ...], said: str
) -> None:
    told = call("check-labels", small_audit.config, *options)
    assert (told.code, told.out) == (2, "")
    assert said in told.err


def test_without_labels_the_command_says_what_to_run(small_audit: SmallAudit) -> None:
    told = call("check-labels", small_audit.config)
    assert (told.code, told.out) == (1, "")
    assert "weakspot" in told.err


def test_a_folder_that_cannot_be_written_is_named(labelled: SmallAudit) -> None:
    told = call("check-labels", labelled.config, *OPTIONS, "--static", labelled.config)
    assert told.code == 2
    assert "cannot be written" in told.err
