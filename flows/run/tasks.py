"""Prefect around a run: stages as its flows, tasks as its tasks, what was found as artifacts.

The only place where a function becomes a flow or a task.
"""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import polars as pl
from prefect import Task, flow, task
from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run as own_run

from flows.run.artifacts import list_findings, list_gaps, make_slug
from flows.run.runner import ReportShare
from flows.run.schedules.crashed import watch_run

P = ParamSpec("P")
R = TypeVar("R")
RETRY_DELAYS = (1.0, 5.0)  # seconds before the second and the third try


def make_task(
    function: Callable[P, R], *, retry_delays: tuple[float, ...] = RETRY_DELAYS
) -> Callable[P, R]:
    """Make a function a Prefect task of its name, tried again when input or output fails.

    retry_delays: seconds before each further try. Results go to the workspace, never into
    Prefect's cache, whose keys include the run.
    """
    return cast("Callable[P, R]", _make_task(function, retry_delays))


@functools.cache
def _make_task(function: Callable[..., object], retry_delays: tuple[float, ...]) -> object:
    return task(
        name=function.__name__.replace("_", " "),
        retries=len(retry_delays),
        retry_delay_seconds=list(retry_delays),
        retry_condition_fn=_is_io_error,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(function)


def _is_io_error(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return whether a task failed on input or output, which may pass; anything else will not."""
    return isinstance(state.result(raise_on_failure=False), OSError)


class PrefectRunner:
    """Runs stages as flows and tasks as tasks of the Prefect server that is configured.

    audit: its name, by which its runs and artifacts are found on Prefect's page.
    """

    task_runner: Any = None  # of Prefect, for tasks that are submitted; its own when None

    def __init__(self, audit: str) -> None:
        self.audit = audit

    def run_stage(
        self, name: str, stage: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:
        """Run a stage as a flow of its name, without parameters: they are large values of ours."""

        def run() -> R:
            return stage(*arguments, **options)

        title = f"{self.audit}: {name}".replace("{", "(").replace("}", ")")  # Prefect formats it
        return flow(name=name, flow_run_name=title, task_runner=self.task_runner)(run)()

    def run_task(self, function: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        """Run a function as a task."""
        return make_task(function)(*arguments, **options)

    def run_tasks(self, calls: "Iterable[functools.partial[R]]", /) -> Iterator[R]:
        """Run functions as tasks, one after the other, each when its result is asked for."""
        for call in calls:
            yield self.run_task(call.func, *call.args, **call.keywords)

    def watch_run(self, workspace: Path) -> AbstractContextManager[None]:
        """Note which flow run uses the workspace; one that was killed is set to Crashed."""
        return watch_run(workspace, UUID(own_run.id) if own_run.id else None)

    def publish_findings(self, findings: pl.DataFrame) -> None:
        """Show the findings as a table artifact."""
        self._publish_table("findings", list_findings(findings))

    def publish_gaps(self, gaps: Sequence[Mapping[str, Any]]) -> None:
        """Show the gaps that hold up as a table artifact, none where no groups were compared."""
        if gaps:
            self._publish_table("gaps", list_gaps(gaps))

    def publish_gates(self, verdicts: Mapping[str, str]) -> None:
        """Show the verdicts as a table artifact, none where the audit has no gates."""
        if verdicts:
            rows = [{"system": name, "verdict": verdict} for name, verdict in verdicts.items()]
            self._publish_table("gates", rows)

    def publish_report(self, uri: str) -> None:
        """Show a link to the report as an artifact."""
        create_link_artifact(uri, link_text=self.audit, key=self._key("report"))

    @contextlib.contextmanager
    def track_embedding(self) -> Iterator[ReportShare]:
        """Show how much is embedded as a progress artifact."""
        made = create_progress_artifact(0.0, key=self._key("embed"), description=self.audit)
        artifact = cast("UUID", made)
        yield lambda share: cast("None", update_progress_artifact(artifact, share))

    def _publish_table(self, kind: str, rows: list[dict[str, Any]]) -> None:
        create_table_artifact(rows, key=self._key(kind), description=f"{self.audit}: {kind}")

    def _key(self, kind: str) -> str:
        """Return the key of an artifact: one for each audit, so that each has its own history."""
        return f"weakspot-{make_slug(self.audit)}-{kind}"
