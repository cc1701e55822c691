"""Prefect around a run: stages as its flows, tasks as its tasks, findings as artifacts.

The only place where a function becomes a flow or a task.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
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

from flows.run.runner import ReportShare
from reports.parts.words import write_evidence, write_predicates

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
    """Runs stages as flows and tasks as tasks of the Prefect server that is configured."""

    def run_stage(
        self, name: str, stage: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:
        """Run a stage as a flow of its name, without parameters: they are large values of ours."""

        def run() -> R:
            return stage(*arguments, **options)

        return flow(name=name)(run)()

    def run_task(self, function: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        """Run a function as a task."""
        return make_task(function)(*arguments, **options)

    def publish_findings(self, findings: pl.DataFrame, *, audit: str) -> None:
        """Show the findings as a table artifact."""
        rows = [
            {
                "system": row["system"],
                "slice": write_predicates(row["predicates"]),
                "n": row["n"],
                "error": row["error"],
                "elsewhere": row["rest_error"],
                "q": row["q"],
                "state": row["state"],
                "evidence": write_evidence(row),
            }
            for row in findings.iter_rows(named=True)
        ]
        create_table_artifact(rows, key="weakspot-findings", description=audit)

    def publish_report(self, uri: str, *, audit: str) -> None:
        """Show a link to the report as an artifact."""
        create_link_artifact(uri, link_text=audit, key="weakspot-report")

    @contextlib.contextmanager
    def track_embedding(self, *, audit: str) -> Iterator[ReportShare]:
        """Show how much is embedded as a progress artifact."""
        made = create_progress_artifact(0.0, key="weakspot-embed", description=audit)
        artifact = cast("UUID", made)
        yield lambda share: cast("None", update_progress_artifact(artifact, share))
