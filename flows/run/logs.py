"""What a person sees while a run goes on: log lines and progress bars on standard error."""

import contextlib
import logging
import os
import time
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
LOG_SECONDS = 30.0  # between two lines on progress
_SHOWN: list[Callable[[int], None]] = []  # how to move the bars that are shown, the last on top

# Prefect says what it does at length; a person wants our lines. They go to Prefect's API as well.
_PREFECT_LOGGING = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "weakspot",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


def set_up_logging(*, quiet: bool = False) -> None:
    """Send our log lines to standard error and set how Prefect logs; call before importing it."""
    for name, value in _PREFECT_LOGGING.items():
        os.environ.setdefault(name, value)
    LOG.setLevel(logging.WARNING if quiet else logging.INFO)
    LOG.propagate = False
    if all(handler.name != LOG.name for handler in LOG.handlers):  # Prefect adds one of its own
        handler = _make_handler()
        handler.name = LOG.name
        LOG.addHandler(handler)


def _make_handler() -> logging.Handler:
    """Return colored lines for a terminal, plain whole lines for a file or a scheduler."""
    if STDERR.is_terminal:
        return RichHandler(console=STDERR, show_path=False, log_time_format="%H:%M:%S")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    return handler


class _Rate(ProgressColumn):
    """Samples a second so far."""

    def render(self, task: Bar) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


def advance_progress(count: int) -> None:
    """Move the bar that this process shows, if any, by so many: what a task calls as it goes on."""
    if _SHOWN:
        _SHOWN[-1](count)


@contextlib.contextmanager
def show_progress(title: str, total: int) -> Iterator[None]:
    """Show a bar with rate and time left, which `advance_progress` moves, while inside.

    Where standard error is no terminal, there is a log line every half minute instead of the bar.
    """
    with _open_bar(title, total) as advance:
        _SHOWN.append(advance)
        try:
            yield
        finally:
            _SHOWN.pop()


@contextlib.contextmanager
def _open_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    if not STDERR.is_terminal:
        yield _log_progress(title, total)
        return
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
        yield lambda count: progress.advance(bar, count)


def _log_progress(title: str, total: int) -> Callable[[int], None]:
    start = time.monotonic()
    state = {"done": 0, "logged": start}

    def advance(count: int) -> None:
        state["done"] += count
        now = time.monotonic()
        if now - state["logged"] >= LOG_SECONDS:
            state["logged"] = now
            rate = state["done"] / (now - start)
            left = (total - state["done"]) / max(rate, 1e-9)
            LOG.info(
                "%s: %s of %s, %.0f/s, %.0f s left",
                title,
                f"{state['done']:,.0f}",
                f"{total:,}",
                rate,
                left,
            )

    return advance
