"""The shipped prefect.yaml with a process work pool; a server on PostgreSQL."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.command import ROOT
from tests.flows.run.schedules.real_server import (
    PATIENCE,
    RealServer,
    find_port,
    run_schedule,
    run_server,
    wait_for,
)
from tests.flows.small_audit import SmallAudit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("schedules"),
    pytest.mark.timeout(900),  # where the machine is busy; else under a minute
]


def call_prefect(server: RealServer, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        env=server.environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_a_worker_runs_the_shipped_deployment(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    folder = measured_audit.folder
    shutil.copy(ROOT / "prefect.yaml", folder)
    call_prefect(real_server, folder, "work-pool", "create", "weakspot", "--type", "process")
    call_prefect(real_server, folder, "--no-prompt", "deploy", "--all")
    call_prefect(real_server, folder, "deployment", "run", "audit/nightly")
    worker = ("worker", "start", "--pool", "weakspot", "--run-once", "--name", "one")
    log = call_prefect(real_server, folder, *worker)
    run = real_server.find_run("Completed", deployment="nightly")
    assert run is not None, log[-3000:]
    assert run["name"] == "small"
    assert run["parameters"]["overlap"] == "skip"
    assert (folder / "report" / "index.html").exists()


@pytest.fixture
def database() -> Iterator[str]:
    """A PostgreSQL database of its own; Debian's programs refuse to run as root."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    as_user = []
    if os.geteuid() == 0:
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        as_user = ["runuser", "-u", "postgres", "--"]
    port, folder = find_port(), Path(f"/tmp/weakspot-postgres-{os.getpid()}")  # noqa: S108 - another user reads it

    def call(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs[-1] / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120, cwd="/")

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    try:
        call("initdb", "-D", str(folder), "-A", "trust", "-U", "prefect", "--no-sync")
        call("pg_ctl", "-D", str(folder), "-o", options, "-l", f"{folder}/log", "-w", "start")
        call("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect")
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect"
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            call("pg_ctl", "-D", str(folder), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_a_schedule_runs_on_a_server_on_postgresql(
    database: str, tmp_path: Path, measured_audit: SmallAudit
) -> None:
    settings = {"PREFECT_API_DATABASE_CONNECTION_URL": database}
    with run_server(tmp_path / "prefect", settings) as (server, _):
        assert not list((tmp_path / "prefect").glob("*.db"))  # nothing is kept in SQLite
        with run_schedule(server, measured_audit.config, "--interval", "10"):
            ended = lambda: server.find_run("Completed", deployment="small")  # noqa: E731
            wait_for(ended, "a run", log=measured_audit.folder / "schedule.log")
    assert (measured_audit.folder / "report" / "index.html").exists()
