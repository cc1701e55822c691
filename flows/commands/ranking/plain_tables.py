"""Tables of names and numbers on the console, as wide as they need."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDEST = 10_000  # characters


def open_table(
    title: str, names: Sequence[str], numbers: Sequence[str], last: Sequence[str] = ()
) -> Table:
    """Return a table of columns: names to the left, numbers to the right, last to the left."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in names:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    for name in last:
        table.add_column(name)
    return table


def add_row(table: Table, *cells: str) -> None:
    """Add a row of plain texts: a value such as [0, 1] is no markup."""
    table.add_row(*map(Text, cells))


def print_whole(table: Table, console: Console) -> None:
    """Print a table at its own width: numbers are not cut where the console is narrower."""
    wide = console.options.update(width=_WIDEST)
    table.width = min(console.measure(table, options=wide).maximum, _WIDEST)
    console.print(table, crop=False)


def write_number(value: float | None, *, digits: int = 4) -> str:
    """Write a number, or a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def write_interval(low: float | None, high: float | None, *, digits: int = 4) -> str:
    """Write the ends of an interval, or a dash where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "-"
    return f"{low:.{digits}f} to {high:.{digits}f}"
