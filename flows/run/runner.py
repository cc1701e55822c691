"""How a run calls its stages and tasks: directly, or as Prefect runs them (see `tasks`)."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

import polars as pl

P = ParamSpec("P")
R = TypeVar("R")
ReportShare = Callable[[float], None]  # gets the percentage that is done


class RunTask(Protocol):
    """Calls a task: a function whose arguments and result are values and paths that pickle."""

    def __call__(
        self, task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:  # fmt: skip
        """Return what the task returns; it may run in another process."""


class RunTasks(Protocol):
    """Calls tasks that do not depend on each other, given as partial calls of their functions."""

    def __call__(self, calls: "Iterable[functools.partial[R]]", /) -> Iterator[R]:
        """Yield what each returns, in order; they may run at the same time and elsewhere."""


class Runner(Protocol):
    """What a run needs around its stages."""

    def run_stage(
        self, name: str, stage: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:
        """Call a stage under its name."""

    def run_task(self, task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        """Call a task; a `RunTask`."""

    def run_tasks(self, calls: "Iterable[functools.partial[R]]", /) -> Iterator[R]:
        """Call tasks that do not depend on each other; a `RunTasks`."""

    def watch_run(self, workspace: Path) -> AbstractContextManager[None]:
        """Note in a workspace that is locked which run uses it, so that a killed one is found."""

    def publish_findings(self, findings: pl.DataFrame) -> None:
        """Show the findings of a run where runs are watched."""

    def publish_gaps(self, gaps: Sequence[Mapping[str, Any]]) -> None:
        """Show the gaps between groups where runs are watched."""

    def publish_gates(self, verdicts: Mapping[str, str]) -> None:
        """Show the verdicts of the gates, by system, where runs are watched."""

    def publish_report(self, uri: str) -> None:
        """Link the report where runs are watched."""

    def track_embedding(self) -> AbstractContextManager[ReportShare]:
        """Show how much is embedded where runs are watched."""


def call_task(task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
    """Call a task in this process."""
    return task(*arguments, **options)


def call_tasks(calls: "Iterable[functools.partial[R]]", /) -> Iterator[R]:
    """Call tasks in this process, one after the other, each when its result is asked for."""
    for call in calls:
        yield call()


class DirectRunner:
    """Calls everything in this process and shows nothing elsewhere: a run without Prefect."""

    def run_stage(
        self, _name: str, stage: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:
        """Call a stage."""
        return stage(*arguments, **options)

    def run_task(self, task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        """Call a task."""
        return task(*arguments, **options)

    def run_tasks(self, calls: "Iterable[functools.partial[R]]", /) -> Iterator[R]:
        """Call tasks one after the other, each when its result is asked for."""
        for call in calls:
            yield self.run_task(call.func, *call.args, **call.keywords)

    @contextlib.contextmanager
    def watch_run(self, workspace: Path) -> Iterator[None]:  # noqa: ARG002 - of the protocol
        """Note nothing: no other place shows this run."""
        yield

    def publish_findings(self, findings: pl.DataFrame) -> None:
        """Show nothing."""

    def publish_gaps(self, gaps: Sequence[Mapping[str, Any]]) -> None:
        """Show nothing."""

    def publish_gates(self, verdicts: Mapping[str, str]) -> None:
        """Show nothing."""

    def publish_report(self, uri: str) -> None:
        """Show nothing."""

    @contextlib.contextmanager
    def track_embedding(self) -> Iterator[ReportShare]:
        """Show nothing."""
        yield lambda _share: None
