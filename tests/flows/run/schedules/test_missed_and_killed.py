"""Runs that were not started, and runs whose process was killed, against a real server."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from pipeline.workspace.lock import lock_workspace
from tests.flows.run.schedules.real_server import (
    RealServer,
    end,
    run_schedule,
    run_server,
    wait_for,
)
from tests.flows.small_audit import SmallAudit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("schedules"),
    pytest.mark.timeout(900),  # where the machine is busy; else under a minute
    # Prefect's own modules warn about what later versions of their libraries will do.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture
def configured(real_server: RealServer) -> Iterator[None]:
    """Make the server the one that this process uses."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: real_server.url}):
        yield


@pytest.mark.usefixtures("configured")
def test_of_missed_runs_the_newest_alone_is_left(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Pending

    from flows.run.schedules.deployment import ScheduledAudit, deploy_audit
    from flows.run.schedules.overlap import explain_missed, list_due, skip_missed
    from flows.run.schedules.timing import Timing

    config = tmp_path / "audit.toml"
    scheduled = ScheduledAudit(config, "away", "away", Timing(interval=2.0))
    with get_client(sync_client=True) as client:
        deployment = deploy_audit(scheduled)
        wait_for(lambda: len(list_due(client, deployment)) >= 5, "the runs that are due")
        assert deploy_audit(scheduled) == deployment  # the command was started again
        due = list_due(client, deployment)
        assert len(due) >= 5
        assert explain_missed(client, client.read_flow_run(due[0].id)) is not None
        client.set_flow_run_state(due[1].id, Pending())
        taken = client.read_flow_run(due[1].id)
        assert explain_missed(client, taken) is not None  # it was late when it was started
        left = skip_missed(client, deployment)
        assert len(left) == 1
        assert left[0].id == due[-1].id or left[0].id not in {run.id for run in due}
        states = [client.read_flow_run(run.id).state for run in due[:-1] if run.id != taken.id]
        newest = client.read_flow_run(left[0].id)
        client.set_flow_run_state(newest.id, Pending())
        assert explain_missed(client, newest) is None
        client.request("DELETE", "/deployments/{id}", path_params={"id": deployment})
    assert {(state.type.value, state.name) for state in states if state} == {
        ("COMPLETED", "Skipped")
    }


def find_child(parent: int) -> int | None:
    """Return the process of a run that a schedule started."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(words[1]) == parent and b"prefect.engine" in command:
            return int(entry.name)
    return None


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc to see processes")
def test_a_killed_run_is_crashed_and_word_is_sent(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = measured_audit
    audit.edit('name = "small"', 'name = "killed"')
    word, log = audit.folder / "word.json", audit.folder / "schedule.log"
    options = ("--interval", "10", "--notify", f"tee {word}")
    with run_schedule(real_server, audit.config, *options) as schedule:
        running = lambda: real_server.find_run("Running", deployment="killed")  # noqa: E731
        run = wait_for(running, "a run", log=log)
        child = find_child(schedule.pid)
        assert child is not None
        os.kill(child, signal.SIGKILL)
        crashed = lambda: real_server.find_run("Crashed", deployment="killed")  # noqa: E731
        assert wait_for(crashed, "the crash", log=log)["id"] == run["id"]
        wait_for(lambda: word.exists() and word.read_text(), "word", log=log)
    sent = json.loads(word.read_text())
    assert (sent["status"], sent["run_id"]) == ("crashed", run["id"])
    assert sent["message"] == "killed by signal 9"


@pytest.mark.usefixtures("configured")
def test_a_run_that_was_killed_is_crashed_by_the_next_in_its_workspace(tmp_path: Path) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows.run.schedules.crashed import watch_run

    @flow(name="audit")
    def nothing() -> None: ...

    def read_state(run_id: UUID) -> str | None:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run_id).state
            return state.name if state else None

    with get_client(sync_client=True) as client:
        killed, own = (client.create_flow_run(nothing, state=Running()).id for _ in range(2))
    (tmp_path / "run.flow").write_text(str(killed))  # as a killed run leaves it
    with watch_run(tmp_path, own):
        assert read_state(killed) == "Crashed"
        assert (tmp_path / "run.flow").read_text() == str(own)
    assert read_state(own) == "Running"
    assert not (tmp_path / "run.flow").exists()
    (tmp_path / "run.flow").write_text(str(UUID(int=7)))  # of another server
    with watch_run(tmp_path, own):
        assert read_state(own) == "Running"


@pytest.mark.endurance
def test_a_schedule_outlives_its_server_and_what_that_knew(
    tmp_path: Path, measured_audit: SmallAudit
) -> None:
    audit = measured_audit
    log = audit.folder / "schedule.log"
    with (
        run_server(tmp_path / "prefect") as (server, process),
        lock_workspace(audit.folder / "workspace"),  # runs end at once, as Skipped
        run_schedule(server, audit.config, "--interval", "5") as schedule,
    ):
        process.kill()
        process.wait()
        wait_for(lambda: "no word from Prefect" in log.read_text(), "silence", log=log)
        before = len(log.read_text())
        for file in (tmp_path / "prefect").glob("prefect.db*"):
            file.unlink()  # a server that starts from nothing
        again = server.start()
        try:
            started = lambda: "starting run" in log.read_text()[before:]  # noqa: E731
            wait_for(started, "a run", log=log, process=schedule)
            assert "making it again" in log.read_text()
        finally:
            end(again)
