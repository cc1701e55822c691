"""The tables that `weakspot slices` prints."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from flows.commands.console import HELD_OUT
from reports.parts.words import write_evidence, write_predicates

if TYPE_CHECKING:
    from pipeline.slices import SliceResult


def print_result(result: "SliceResult", console: Console, *, top: int) -> None:
    """Print findings and best slices for a person."""
    if result.findings.height:
        names = ["slice", "n", "error", "elsewhere", "difference (95 %)", "state", "by"]
        rows = [
            [
                write_predicates(row["predicates"]),
                f"{row['n']:,}",
                f"{row['error']:.3g}",
                f"{row['rest_error']:.3g}",
                _write_interval(row),
                row["state"],
                write_evidence(row),
            ]
            for row in result.findings.iter_rows(named=True)
        ]
        console.print(_tabulate("Findings", names, rows))
        if result.search.holdout_n:
            console.print(HELD_OUT, soft_wrap=True)
    else:
        console.print("No slice holds up as a finding.")
    rows = [
        [
            write_predicates(row["predicates"]),
            f"{row['n']:,}",
            f"{row['error']:.3g}",
            "" if row["rest_error"] is None else f"{row['rest_error']:.3g}",
            f"{row['score']:.3f}",
            f"{row['q']:.2g}",
        ]
        for row in result.family.head(top).iter_rows(named=True)
    ]
    names = ["slice", "n", "error", "elsewhere", "score", "q"]
    console.print(_tabulate(f"Best {len(rows)} of {result.family.height:,} by score", names, rows))


def _write_interval(row: dict[str, Any]) -> str:
    if row["ci_low"] is None:
        return f"{row['difference']:+.3g}"
    return f"{row['difference']:+.3g} ({row['ci_low']:+.3g} to {row['ci_high']:+.3g})"


def _tabulate(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, justify="left" if name in {"slice", "state", "by"} else "right")
    for row in rows:
        table.add_row(*row)
    return table
