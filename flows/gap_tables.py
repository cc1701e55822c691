"""The gaps between groups as the command prints them."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from reports.words import write_predicates

SHOWN = 20  # rows of the printed table; the report and the export hold all


def tabulate_gaps(gaps: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of the first gaps as `read_gaps` orders them."""
    title = "Groups against the rest, by error"
    if len(gaps) > SHOWN:
        title += f" (the first {SHOWN} of {len(gaps)}; the report has all)"
    table = Table(title=title, title_justify="left")
    several = len({gap["system"] for gap in gaps}) > 1
    left = {"system", "labels", "group", "state"}
    names = ["labels", "group", "n", "error", "gap", "95 %", "adjusted", "q", "state"]
    for name in (["system"] if several else []) + names:
        table.add_column(name, justify="left" if name in left else "right")
    for gap in gaps[:SHOWN]:
        cells = [
            gap["labels"],
            write_predicates(gap["predicates"]),
            f"{gap['n']:,}",
            _write(gap["value"], ".3f"),
            _write(gap["difference"], "+.3f"),
            _write(gap["difference_low"], "+.3f") + " to " + _write(gap["difference_high"], "+.3f"),
            _write(gap["adjusted_difference"], "+.3f"),
            _write(gap["q"], ".2g"),
            gap["state"],
        ]
        table.add_row(*([gap["system"]] if several else []), *cells)
    return table


def _write(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
