"""Runs that were killed: what they left as running is set to Crashed by whoever comes next."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from flows.run.logs import LOG
from pipeline.files.whole_files import write_text

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State

_PAGE = 200  # runs that Prefect returns at a time
_KILLED = "killed: its process ended without a word"


@contextlib.contextmanager
def watch_run(workspace: Path, flow_run_id: UUID | None) -> Iterator[None]:
    """Note in a workspace that is locked which flow run uses it, while inside.

    A note that is there already is of a run that was killed: that run is set to Crashed.
    """
    note = workspace / "run.flow"
    if note.exists():
        _mark_noted(note)
    if flow_run_id is not None:
        write_text(str(flow_run_id), note)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # of a failing disk, whose own error says more
            note.unlink(missing_ok=True)


def _mark_noted(note: Path) -> None:
    from prefect.client.orchestration import get_client

    unreached = (httpx.HTTPError, RuntimeError)
    with contextlib.suppress(ValueError, *unreached), get_client(sync_client=True) as client:
        killed = UUID(note.read_text(encoding="utf-8").strip())
        if mark_crashed(client, killed, _KILLED):
            LOG.warning("the run before this one was killed; it is marked as crashed")


def mark_crashed(client: "SyncPrefectClient", flow_run_id: UUID, reason: str) -> bool:
    """Set a run, its stages and its tasks to Crashed where they have not ended.

    Returns whether the run itself had not. A run that this server does not know is no error.
    """
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterId,
        FlowRunFilterParentFlowRunId,
        TaskRunFilter,
        TaskRunFilterFlowRunId,
        TaskRunFilterState,
        TaskRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort
    from prefect.states import Crashed

    state: State[None] = Crashed(message=reason)
    own = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    stages = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[flow_run_id]))
    runs = [
        run
        for asked in (own, stages)
        for run in client.read_flow_runs(
            flow_run_filter=asked, sort=FlowRunSort.START_TIME_ASC, limit=_PAGE
        )
    ]
    if not runs:
        return False
    open_runs = [run for run in runs if run.state is None or not run.state.is_final()]
    for run in open_runs:
        client.set_flow_run_state(run.id, state, force=True)
    tasks = client.read_task_runs(
        task_run_filter=TaskRunFilter(
            flow_run_id=TaskRunFilterFlowRunId(any_=[run.id for run in runs]),
            state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.RUNNING])),
        ),
        sort=TaskRunSort.END_TIME_DESC,
        limit=_PAGE,
    )
    for task in tasks:
        client.set_task_run_state(task.id, state, force=True)
    return any(run.id == flow_run_id for run in open_runs)
