"""Nothing of an audit leaves the machine, unless its user says so."""

import ipaddress
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.command import ROOT, WatchedRun, run_watched


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> WatchedRun:
    return run_watched(tmp_path_factory.getbasetemp())


def is_here(host: str) -> bool:
    """Tell whether a host is this machine; binding or asking for no host at all is."""
    if host in {"localhost", "unix", "None", ""}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.mark.xdist_group("prefect")
def test_a_run_and_its_server_reach_for_nothing_but_this_machine(run: WatchedRun) -> None:
    assert run.told.code == 0, run.told.err
    assert [(command, host) for command, host in run.hosts if not is_here(host)] == []


@pytest.mark.xdist_group("prefect")
def test_both_processes_were_watched(run: WatchedRun) -> None:
    watched = {command for command, host in run.hosts if host == "127.0.0.1"}
    assert any("flows.cli run" in command for command in watched)
    assert any("flows.server" in command for command in run.started)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.1.1", "::1", "localhost"])
def test_this_machine_is_known(host: str) -> None:
    assert is_here(host)


@pytest.mark.parametrize("host", ["10.0.0.7", "8.8.8.8", "2001:db8::1", "api.example.org"])
def test_hosts_elsewhere_are_known_as_such(host: str) -> None:
    assert not is_here(host)


def ask_settings(folder: Path, **own: str) -> str:
    """Return what Prefect makes of our settings beside a user's own, in a fresh process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "DO_NOT_TRACK"))}
    script = (
        "from flows.server import keep_private\n"
        "keep_private()\n"
        "import os\n"
        "from prefect.settings import PREFECT_SERVER_ANALYTICS_ENABLED as analytics\n"
        "print(analytics.value(), os.environ['DO_NOT_TRACK'])\n"
    )
    environment = kept | {"PREFECT_HOME": str(folder), "PYTHONPATH": str(ROOT)} | own
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_telemetry_is_off_unless_the_user_sets_it(tmp_path: Path) -> None:
    assert ask_settings(tmp_path) == "False 1"
    own = {"PREFECT_SERVER_ANALYTICS_ENABLED": "true", "DO_NOT_TRACK": "0"}
    assert ask_settings(tmp_path, **own) == "True 0"
