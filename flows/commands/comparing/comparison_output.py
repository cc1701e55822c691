"""A comparison of two runs for a console and as files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from flows.commands.console import open_console
from flows.commands.console_tables import tabulate
from flows.commands.exports.table_file import SUFFIXES, check_target, write_table
from flows.run.reading.comparison_data import Sides, describe_comparison, to_content
from pipeline.comparison.changes import Overall, judge_regressions
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_text
from reports.pages.comparison_page import build_comparison
from reports.parts.words import write_predicates


def check_files(files: Sequence[Path]) -> None:
    """Raise ConfigError unless each file could be written."""
    for file in files:
        check_target(file, suffixes=(".html", *SUFFIXES))


def write_file(file: Path, sides: Sides, overall: Overall, changes: pl.DataFrame) -> None:
    """Write the page (.html), everything (.json) or the table of changes (.csv, .parquet)."""
    if file.suffix in (".csv", ".parquet"):
        write_table(changes, file)
        return
    if file.suffix == ".json":
        content = json.dumps(to_content(sides, overall, changes), ensure_ascii=False, indent=1)
    else:
        content = build_comparison(describe_comparison(sides, overall, changes))
    try:
        write_text(content, file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from None


def print_changes(sides: Sides, overall: Overall, changes: pl.DataFrame) -> None:
    """Print the changes for a person."""
    console = open_console()
    before, after = sides
    moments = overall.moments
    lines = [
        f"before: {before.title}, run {before.run_id}, {len(before.rows.errors):,} samples",
        f"after: {after.title}, run {after.run_id}, {len(after.rows.errors):,} samples",
        f"images in both: {overall.shared_images:,}",
        *(f"note: {note}" for side in sides for note in side.notes),
        f"mean error: {moments.before:.3f} before, {moments.after:.3f} after, "
        f"change {moments.change:+.3f} (95 % {overall.low:+.3f} to {overall.high:+.3f})",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    if changes.is_empty():
        console.print("Neither run has a finding: there is no slice to compare.")
        return
    console.print(_tabulate(changes.to_dicts()))
    if (verdict := judge_regressions(changes)) is not None:
        console.print(f"gate on regressions: {verdict}")


def _tabulate(rows: Sequence[dict[str, Any]]) -> Table:
    columns = {
        "slice": [write_predicates(row["predicates"]) for row in rows],
        "found": [row["listed"] for row in rows],
        "error": [_write_pair(row, "error") for row in rows],
        "gap to the rest": [_write_pair(row, "gap") for row in rows],
        "change of the gap (95 %)": [
            "" if row["gap_change"] is None
            else f"{row['gap_change']:+.3f} ({row['gap_change_low']:+.3f} to "
            f"{row['gap_change_high']:+.3f})"
            for row in rows
        ],
        "p": ["" if row["p_holm"] is None else f"{row['p_holm']:.2g}" for row in rows],
        "state": [row["verdict"] for row in rows],
    }  # fmt: skip
    return tabulate("Slices that either run lists, most urgent first", columns)


def _write_pair(row: dict[str, Any], name: str) -> str:
    before, after = row[f"{name}_before"], row[f"{name}_after"]
    return "" if before is None else f"{before:.3f} -> {after:.3f}"
