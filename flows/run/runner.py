"""How a run calls its stages and tasks: directly, or as Prefect runs them (see `tasks`)."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import ParamSpec, Protocol, TypeVar

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


class Runner(Protocol):
    """What a run needs around its stages."""

    def run_stage(
        self, name: str, stage: Callable[P, R], /, *arguments: P.args, **options: P.kwargs
    ) -> R:
        """Call a stage under its name."""

    def run_task(self, task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        """Call a task; a `RunTask`."""

    def publish_findings(self, findings: pl.DataFrame, *, audit: str) -> None:
        """Show the findings of a run where runs are watched."""

    def publish_report(self, uri: str, *, audit: str) -> None:
        """Link the report where runs are watched."""

    def track_embedding(self, *, audit: str) -> AbstractContextManager[ReportShare]:
        """Show how much is embedded where runs are watched."""


def call_task(task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
    """Call a task in this process."""
    return task(*arguments, **options)


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

    def publish_findings(self, findings: pl.DataFrame, *, audit: str) -> None:
        """Show nothing."""

    def publish_report(self, uri: str, *, audit: str) -> None:
        """Show nothing."""

    @contextlib.contextmanager
    def track_embedding(self, *, audit: str) -> Iterator[ReportShare]:  # noqa: ARG002 - of the protocol
        """Show nothing."""
        yield lambda _share: None
