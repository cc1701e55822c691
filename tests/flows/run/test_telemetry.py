"""Nothing of an audit leaves the machine, unless its user says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.command import KEPT, ROOT, Process, WatchedRun, run_watched, watch_python

# Each line reaches out in another way; the watcher lets none of them go further.
REACHING = """\
import asyncio, contextlib, http.client, socket, urllib.request
import httpx

async def ask():
    async with httpx.AsyncClient() as client:
        await client.get("https://httpx.example.org/")

with contextlib.suppress(OSError, httpx.ConnectError):
    asyncio.run(ask())
with contextlib.suppress(OSError):
    urllib.request.urlopen("http://urllib.example.org/")
with contextlib.suppress(OSError):
    socket.create_connection(("192.0.2.1", 80), timeout=1)
with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as datagram:
    datagram.sendto(b"hello", ("192.0.2.2", 53))
with contextlib.suppress(OSError):
    socket.create_connection(("127.0.0.1", 9), timeout=1)
"""


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Process, ...]:
    run: WatchedRun = run_watched(tmp_path_factory.getbasetemp())
    assert run.told.code == 0, run.told.err
    return run.processes


@pytest.mark.slow
@pytest.mark.xdist_group("prefect")
def test_a_run_and_its_server_reach_for_nothing_but_this_machine(
    processes: tuple[Process, ...],
) -> None:
    assert {one.command: sorted(one.elsewhere) for one in processes if one.elsewhere} == {}


@pytest.mark.slow
@pytest.mark.xdist_group("prefect")
def test_the_run_and_its_server_were_both_watched(processes: tuple[Process, ...]) -> None:
    run, server = (
        next(one for one in processes if f"-m {module}" in one.command)
        for module in ("flows.commands.app", "flows.run.prefect_server")
    )
    assert "127.0.0.1" in run.here
    assert (server.analytics, server.do_not_track) == ("false", "1")


def test_the_watcher_sees_every_way_of_reaching_out(tmp_path: Path) -> None:
    (tmp_path / "reach.py").write_text(REACHING, encoding="utf-8")
    told, (process,) = watch_python(["reach.py"], folder=tmp_path)
    assert told.code == 0, told.err
    assert process.elsewhere == {
        "httpx.example.org", "urllib.example.org", "192.0.2.1", "192.0.2.2",
    }  # fmt: skip
    assert process.here == {"127.0.0.1"}


def ask_settings(folder: Path, **own: str) -> str:
    """Return what Prefect makes of our settings beside a user's own, in a fresh process."""
    script = (
        "import flows.audit\n"
        "import os\n"
        "from prefect.settings import PREFECT_SERVER_ANALYTICS_ENABLED as analytics\n"
        "print(analytics.value(), os.environ['DO_NOT_TRACK'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name in KEPT}
    environment |= {"PREFECT_HOME": str(folder), "PYTHONPATH": str(ROOT)} | own
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_telemetry_is_off_unless_the_user_sets_it(tmp_path: Path) -> None:
    assert ask_settings(tmp_path) == "False 1"
    own = {"PREFECT_SERVER_ANALYTICS_ENABLED": "true", "DO_NOT_TRACK": "0"}
    assert ask_settings(tmp_path, **own) == "True 0"
