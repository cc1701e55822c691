"""What `weakspot label-quality` prints: tables for a person."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.tables import IN_USE

_WIDEST = 1_000  # characters


def print_quality(
    frames: Mapping[str, pl.DataFrame], console: Console, *, attribute: str | None
) -> None:
    """Print the methods side by side, the values of the labels in use, and what scores suggest.

    attribute: the only one that is printed, with more of it; None for all.
    """
    quality = frames["label_quality"]
    if quality.is_empty():
        console.print(
            "No label is judged: give true values in [dataset.truth], or check some with "
            "`weakspot check-labels`.",
            soft_wrap=True,
            markup=False,
        )
    else:
        _print_whole(_tabulate_methods(quality), console)
        _print_whole(_tabulate_values(quality), console)
    if attribute is not None and not quality.is_empty():
        _print_whole(_tabulate_confusion(frames["label_confusion"]), console)
    calibration = frames["label_calibration"].filter(pl.col("value").is_null())
    if not calibration.is_empty():
        _print_whole(_tabulate_calibration(calibration), console)
    if not frames["label_thresholds"].is_empty():
        _print_whole(_tabulate_thresholds(frames["label_thresholds"]), console)
    if not frames["label_learning"].is_empty():
        _print_whole(_tabulate_learning(frames["label_learning"]), console)


def _tabulate_methods(quality: pl.DataFrame) -> Table:
    whole = quality.filter(pl.col("value").is_null())
    methods = [one for one in whole["method"].unique(maintain_order=True) if one != IN_USE]
    table = _open_table(
        "Accuracy of the labels, and of other ways to read the same prompts",
        ["attribute"],
        ["judged by", "n", *methods, "in use", "95 %", "unknown"],
    )
    by_key = {(row["attribute"], row["method"]): row for row in whole.to_dicts()}
    for name in whole["attribute"].unique(maintain_order=True):
        own = by_key[name, IN_USE]
        others = [_write(by_key.get((name, one), {}).get("accuracy")) for one in methods]
        _add_row(
            table,
            name, own["judged_by"], f"{own['n']:,}", *others,
            _write(own["accuracy"]), _write_ends(own, "accuracy"), _write(own["abstention"]),
        )  # fmt: skip
    return table


def _tabulate_values(quality: pl.DataFrame) -> Table:
    table = _open_table(
        "Labels in use by value",
        ["attribute", "value"],
        ["true", "labelled", "precision", "95 %", "recall", "95 %", "F1", "95 %"],
    )
    rows = quality.filter((pl.col("method") == IN_USE) & pl.col("value").is_not_null())
    for row in rows.to_dicts():
        shares = [
            text
            for name in ("precision", "recall", "f1")
            for text in (_write(row[name]), _write_ends(row, name))
        ]
        _add_row(
            table,
            row["attribute"],
            row["value"],
            f"{row['support']:,}",
            f"{row['labelled']:,}",
            *shares,
        )
    return table


def _tabulate_confusion(confusion: pl.DataFrame) -> Table:
    table = _open_table(
        "Labels in use of each true value", ["truth", "labelled"], ["n", "share", "95 %"]
    )
    for row in confusion.filter(pl.col("method") == IN_USE).to_dicts():
        shares = (_write(row["share"]), _write_ends(row, "share"))
        _add_row(table, row["truth"], row["value"], f"{row['n']:,}", *shares)
    return table


def _tabulate_calibration(calibration: pl.DataFrame) -> Table:
    table = _open_table(
        "Expected calibration error of the scores",
        ["attribute"],
        ["n", "as they are", "after a fit", "fit"],
    )
    for row in calibration.to_dicts():
        errors = (row["calibration_error"], row["calibration_error_fitted"])
        _add_row(table, row["attribute"], f"{row['n']:,}", *map(_write, errors), row["fit"])
    return table


def _tabulate_thresholds(thresholds: pl.DataFrame) -> Table:
    table = _open_table(
        "Margins: by truth or checks for a precision, or suggested by the scores alone",
        ["attribute", "value"],
        ["from", "wanted", "margin", "precision", "at least", "kept", "note"],
    )
    for row in thresholds.to_dicts():
        shares = [row[name] for name in ("precision", "precision_low", "kept")]
        _add_row(
            table,
            row["attribute"], row["value"], row["origin"], _write(row["wanted"]),
            _write(row["margin"]), *map(_write, shares), row["note"] or "",
        )  # fmt: skip
    return table


def _tabulate_learning(curve: pl.DataFrame) -> Table:
    table = _open_table(
        "Labels by a probe that are right, by the number of checks it is trained on",
        ["attribute"],
        ["a value", "in all", "right", "95 %", "more than before", "95 %"],
    )
    for row in curve.to_dicts():
        whole = {"right_low": row["low"], "right_high": row["high"]}
        _add_row(
            table,
            row["attribute"], f"{row['size']}", f"{row['examples']:.0f}", _write(row["right"]),
            _write_ends(whole, "right"), _write(row["gain"]), _write_ends(row, "gain"),
        )  # fmt: skip
    return table


def _add_row(table: Table, *cells: str) -> None:
    table.add_row(*map(Text, cells))  # a value such as [0, 1] is no markup


def _print_whole(table: Table, console: Console) -> None:
    """Print a table at its own width: numbers are not cut where the console is narrower."""
    wide = console.options.update(width=_WIDEST)
    table.width = min(console.measure(table, options=wide).maximum, _WIDEST)
    console.print(table, crop=False)


def _open_table(title: str, names: list[str], numbers: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in names:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="left" if name == "note" else "right")
    return table


def _write(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _write_ends(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"
