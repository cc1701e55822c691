"""The gaps between groups as the command prints them."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from rich.table import Table

from pipeline.store import Store
from reports.words import write_predicates

SHOWN = 20  # rows of the printed table; the report and the export hold all


def read_gaps(store: Store, run_id: str) -> tuple[dict[str, Any], ...]:
    """Return the gaps in error that a run measured, those that hold up first, by size."""
    gaps = store.read_result(run_id, "gaps")
    if gaps is None:
        return ()
    errors = gaps.filter(pl.col("metric") == "error").with_columns(
        order=pl.col("state").replace_strict({"gap": 0, "no gap shown": 1}, default=2)
    )
    ordered = errors.sort(
        ["system", "labels", "order", "difference"],
        descending=[False, True, False, True],
        nulls_last=True,
    )
    return tuple(ordered.drop("run_id", "order").to_dicts())


def tell_failures(store: Store, run_id: str) -> str:
    """Return in words which groups fail the gates."""
    verdicts = store.read_result(run_id, "verdicts")
    failed = [] if verdicts is None else verdicts.filter(pl.col("verdict") == "fail").to_dicts()
    lines = [
        f"  - {row['system']}: {write_predicates(row['predicates'])} (by {row['labels']} labels, "
        f"n {row['n']:,}): error {row['difference']:+.3g} against the rest"
        for row in failed
    ]
    return "\n".join(["the gates fail; everything else is done", *lines])


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
