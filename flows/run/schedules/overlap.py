"""Runs that are not started: their workspace is in use, or a newer run does their work."""

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.client.schemas.responses import FlowRunResponse

# What happens to a run while another one uses its workspace. skip, cancel: it ends at once under
# that name; queue: it waits; fail: it is an error.
Overlap = Literal["fail", "skip", "cancel", "queue"]
_PAGE = 200  # due runs that Prefect returns at a time


def make_skipped(reason: str) -> "State[Any]":
    """Return the state of a run that was not needed: completed, under a name of its own."""
    from prefect.states import Completed

    return Completed(name="Skipped", message=reason)


def make_overlapping(overlap: Overlap, reason: str) -> "State[Any]":
    """Return the state of a run that would overlap, where it neither fails nor waits."""
    from prefect.states import Cancelled

    return Cancelled(message=reason) if overlap == "cancel" else make_skipped(reason)


def skip_missed(client: "SyncPrefectClient", deployment_id: UUID) -> "list[FlowRunResponse]":
    """Skip the scheduled runs that are due but the newest, and return what is left to start.

    Prefect schedules ahead and keeps every run that was not started. One run catches up on all of
    them, because an audit takes the data as it is. Runs that a person asked for are never skipped.
    """
    while True:
        due = list_due(client, deployment_id)
        scheduled = [run for run in due if run.auto_scheduled]
        full = len(due) >= _PAGE  # there are newer ones
        for run in scheduled if full else scheduled[:-1]:
            client.set_flow_run_state(run.id, make_skipped(_MISSED), force=True)
        if not (full and scheduled):
            return [run for run in due if not run.auto_scheduled or run is scheduled[-1]]


_MISSED = "missed; one newer run does the work of all"


def explain_missed(client: "SyncPrefectClient", own: "FlowRun") -> str | None:
    """Return why a run that began is not needed, as a newer scheduled one is due, else None."""
    if own.deployment_id is None or not own.auto_scheduled or own.expected_start_time is None:
        return None
    newer = [
        run
        for run in list_due(client, own.deployment_id)
        if run.auto_scheduled
        and run.expected_start_time is not None
        and run.expected_start_time > own.expected_start_time
    ]
    return _MISSED if newer else None


def list_due(client: "SyncPrefectClient", deployment_id: UUID) -> "list[FlowRunResponse]":
    """Return the runs of a deployment that should have begun by now, oldest first."""
    now = dt.datetime.now(dt.UTC)
    return client.get_scheduled_flow_runs_for_deployments([deployment_id], now, limit=_PAGE)
