"""A schedule against a real server: runs fire and end with a report; overlaps are skipped."""

import datetime as dt
import json
from typing import Any

import pytest

from pipeline.workspace.lock import lock_workspace
from tests.flows.run.schedules.real_server import RealServer, run_schedule, wait_for
from tests.flows.small_audit import SmallAudit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("schedules"),
    pytest.mark.timeout(900),  # where the machine is busy; else under a minute
]


def named(audit: SmallAudit, name: str) -> SmallAudit:
    audit.edit('name = "small"', f'name = "{name}"')
    return audit


def read_logs(server: RealServer, run: dict[str, Any]) -> list[str]:
    runs = server.post("/flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [run["id"]]}})
    ids = [run["id"], *(one["id"] for one in runs)]
    logs = server.post("/logs/filter", logs={"flow_run_id": {"any_": ids}})
    return [log["message"] for log in logs]


@pytest.mark.endurance
def test_an_interval_makes_a_run_that_ends_with_a_report(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = named(measured_audit, "Night watch")
    log = audit.folder / "schedule.log"
    with run_schedule(real_server, audit.config, "--interval", "15"):
        ended = lambda: real_server.find_run("Completed", deployment="night-watch")  # noqa: E731
        run = wait_for(ended, "a run", log=log)
    assert (audit.folder / "report" / "index.html").exists()
    assert run["name"] == "Night watch"
    assert set(run["tags"]) >= {"weakspot", "night-watch"}
    assert len(json.dumps(run["parameters"])) < 300
    assert set(run["parameters"]) <= {"config_path", "overlap", "retries"}
    # An early line: what a busy process logs last may be lost when it ends.
    sent = lambda: any("samples: " in line for line in read_logs(real_server, run))  # noqa: E731
    wait_for(sent, "our log lines")  # Prefect sends them every other second

    children = real_server.post(
        "/flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [run["id"]]}}
    )
    names = {child["name"] for child in children}
    assert names >= {"Night watch: samples", "Night watch: embed", "Night watch: report"}
    assert all(child["parameters"] == {} for child in children)
    assert all("night-watch" in child["tags"] for child in children)
    artifacts = {one["key"]: one for one in real_server.post("/artifacts/latest/filter")}
    assert {"weakspot-night-watch-findings", "weakspot-night-watch-report"} <= set(artifacts)
    assert "brightness" in artifacts["weakspot-night-watch-findings"]["data"]
    assert {run["state_name"] for run in real_server.list_runs(deployment="night-watch")} <= {
        "Completed", "Skipped", "Late", "Pending", "Crashed",
    }  # fmt: skip


def test_a_cron_line_makes_a_run_that_ends_with_a_report(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = named(measured_audit, "cron")
    log = audit.folder / "schedule.log"
    with run_schedule(real_server, audit.config, "--cron", "* * * * *"):
        run = wait_for(
            lambda: real_server.find_run("Completed", deployment="cron"), "a run", log=log
        )
    due = dt.datetime.fromisoformat(run["expected_start_time"].replace("Z", "+00:00"))
    assert (due.second, due.microsecond) == (0, 0)
    assert run["auto_scheduled"]
    assert (audit.folder / "report" / "index.html").exists()


def test_a_run_while_another_uses_the_workspace_is_skipped(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = named(measured_audit, "busy")
    log = audit.folder / "schedule.log"
    with (
        lock_workspace(audit.folder / "workspace"),
        run_schedule(real_server, audit.config, "--interval", "10"),
    ):
        run = wait_for(lambda: real_server.find_run("Skipped", deployment="busy"), "it", log=log)
        assert real_server.find_run("Failed", deployment="busy") is None
    assert run["state_type"] == "COMPLETED"
    assert "another run" in run["state"]["message"] or "still going on" in run["state"]["message"]
    assert not (audit.folder / "report").exists()


def test_a_run_that_would_overlap_is_cancelled_where_asked(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = named(measured_audit, "cancelled")
    log = audit.folder / "schedule.log"
    options = ("--interval", "10", "--limit-overlap", "cancel")
    with (
        lock_workspace(audit.folder / "workspace"),
        run_schedule(real_server, audit.config, *options),
    ):
        find = lambda: real_server.find_run("Cancelled", deployment="cancelled")  # noqa: E731
        run = wait_for(find, "it", log=log)
    assert run["state_type"] == "CANCELLED"
    assert {"Failed", "Crashed"}.isdisjoint(
        one["state_name"] for one in real_server.list_runs(deployment="cancelled")
    )


@pytest.mark.endurance
def test_a_run_that_would_overlap_waits_where_asked(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = named(measured_audit, "queued")
    log = audit.folder / "schedule.log"

    def find(state: str) -> dict[str, Any] | None:
        return real_server.find_run(state, deployment="queued")

    with run_schedule(real_server, audit.config, "--interval", "10", "--limit-overlap", "queue"):
        with lock_workspace(audit.folder / "workspace"):
            run = wait_for(lambda: find("Running"), "a run", log=log)
            wait_for(lambda: find("Skipped"), "an older one that waited", log=log)
            assert find("Completed") is None
        done = wait_for(lambda: find("Completed"), "its end", log=log)
    assert done["id"] == run["id"]
    assert find("Failed") is None


def test_a_run_that_is_cancelled_in_prefect_ends_and_sends_no_word(
    real_server: RealServer, measured_audit: SmallAudit
) -> None:
    audit = named(measured_audit, "stopped")
    log, word = audit.folder / "schedule.log", audit.folder / "word.json"
    options = ("--interval", "10", "--limit-overlap", "queue", "--notify", f"tee {word}")
    with (
        lock_workspace(audit.folder / "workspace"),  # the run waits
        run_schedule(real_server, audit.config, *options),
    ):
        running = lambda: real_server.find_run("Running", deployment="stopped")  # noqa: E731
        run = wait_for(running, "a run", log=log)
        state = {"type": "CANCELLING", "name": "Cancelling"}
        real_server.post(f"/flow_runs/{run['id']}/set_state", state=state)
        find = lambda: real_server.find_run("Cancelled", deployment="stopped")  # noqa: E731
        assert wait_for(find, "its end", log=log)["id"] == run["id"]
    assert not word.exists() or run["id"] not in word.read_text()
