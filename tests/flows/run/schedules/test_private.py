"""Nothing leaves the machine where a person sits at the terminal, which Prefect reports home."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.flows.command import Process, make_watched_environment, read_watched
from tests.flows.run.schedules.real_server import PATIENCE, RealServer, end, wait_for
from tests.flows.small_audit import SmallAudit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("schedules"),
    pytest.mark.timeout(900),  # where the machine is busy; else under a minute
]


def start_in_terminal(
    arguments: list[str], *, folder: Path, **own: str
) -> "subprocess.Popen[bytes]":
    """Start Python, watched, with a terminal as its output."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=make_watched_environment(folder) | own,
        cwd=folder,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)

    def drain() -> None:
        with (folder / "terminal.log").open("ab", buffering=0) as log:
            try:
                while read := os.read(master, 4096):
                    log.write(read)
            except OSError:  # the last process of the terminal ended
                os.close(master)

    threading.Thread(target=drain, daemon=True).start()
    return process


def list_elsewhere(processes: tuple[Process, ...]) -> dict[str, list[str]]:
    return {one.command: sorted(one.elsewhere) for one in processes if one.elsewhere}


def import_in_terminal(module: str, folder: Path) -> tuple[Process, ...]:
    script = f"import {module}, time; time.sleep(3)"  # it is sent by a thread
    start_in_terminal(["-c", script], folder=folder).wait(timeout=PATIENCE)
    return read_watched(folder)


def test_importing_our_flow_reaches_for_nothing(tmp_path: Path) -> None:
    assert list_elsewhere(import_in_terminal("flows.audit", tmp_path)) == {}


def test_importing_prefect_alone_would_phone_home(tmp_path: Path) -> None:
    """That the tests beside this one can fail."""
    assert list_elsewhere(import_in_terminal("prefect", tmp_path)) != {}


def test_a_schedule_at_a_terminal_reaches_for_nothing_but_this_machine(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit, folder = measured_audit, measured_audit.folder
    audit.edit('name = "small"', 'name = "private"')
    command = ["-m", "flows.commands.app", "schedule", str(audit.config), "--interval", "10"]
    process = start_in_terminal(command, folder=folder, PREFECT_API_URL=real_server.url)
    try:
        ended = lambda: real_server.find_run("Completed", deployment="private")  # noqa: E731
        wait_for(ended, "a run", log=folder / "terminal.log", process=process)
    finally:
        end(process)
    processes = read_watched(folder)
    assert list_elsewhere(processes) == {}
    run = next(one for one in processes if "prefect.engine" in one.command)
    assert (run.analytics, run.do_not_track) == ("false", "1")
    assert "127.0.0.1" in run.here
