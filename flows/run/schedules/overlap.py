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
    """Return why a run that began is not needed, as a newer scheduled one was due, else None.

    Workers of a pool start all runs that are late. What became due only while this run was starting
    is no reason: it would never get to its work where starting takes longer than the interval.
    """
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort

    if own.deployment_id is None or not own.auto_scheduled or own.expected_start_time is None:
        return None
    taken = (StateType.PENDING, StateType.RUNNING)
    begun = [s.timestamp for s in client.read_flow_run_states(own.id) if s.type in taken]
    waiting = FlowRunFilterStateType(any_=[StateType.SCHEDULED, *taken])
    later = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[own.deployment_id]),
            state=FlowRunFilterState(type=waiting),
            expected_start_time=FlowRunFilterExpectedStartTime.model_validate(
                {"after_": own.expected_start_time, "before_": min([*begun, _now()])}
            ),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=_PAGE,
    )
    return _MISSED if any(run.auto_scheduled and run.id != own.id for run in later) else None


def list_due(client: "SyncPrefectClient", deployment_id: UUID) -> "list[FlowRunResponse]":
    """Return the runs of a deployment that should have begun by now, oldest first."""
    return client.get_scheduled_flow_runs_for_deployments([deployment_id], _now(), limit=_PAGE)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
