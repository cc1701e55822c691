"""What a person sees while a run goes on: log lines and progress bars on standard error."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as Bar
from rich.text import Text

LOG = logging.getLogger("weakspot")
STDERR = Console(stderr=True)

# Prefect says what it does at length; a person wants our lines. They go to Prefect's API as well.
_PREFECT_LOGGING = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "weakspot",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


def set_up_logging(*, quiet: bool = False) -> None:
    """Send our log lines to standard error and set how Prefect logs; call before importing it."""
    for name, value in _PREFECT_LOGGING.items():
        os.environ.setdefault(name, value)
    LOG.setLevel(logging.WARNING if quiet else logging.INFO)
    LOG.propagate = False
    for handler in [handler for handler in LOG.handlers if isinstance(handler, RichHandler)]:
        LOG.removeHandler(handler)
    LOG.addHandler(RichHandler(console=STDERR, show_path=False, log_time_format="%H:%M:%S"))


class _Rate(ProgressColumn):
    """Samples a second so far."""

    def render(self, task: Bar) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


@contextlib.contextmanager
def show_progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with rate and time left; yields the function to call with each count done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=STDERR, transient=True) as progress:
        bar = progress.add_task(title, total=total)

        def advance(count: int) -> None:
            progress.advance(bar, count)

        yield advance
