"""Summaries and tables as the command prints them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from flows.run.summary import COUNTS, Summary
from reports.parts.words import write_evidence, write_predicates

SHOWN = 10  # rows of a table; the report and the export hold all
HELD_OUT = "n, error and elsewhere are of the samples searched, without those held out."
_BY = {"predicted": "as labelled", "truth": "by true values"}
_UNBOUNDED = 10_000  # characters; no table of ours is wider


def open_console(environment: Mapping[str, str] = os.environ) -> Console:
    """Return a console on standard output; lines that go to a file or a pipe are not wrapped.

    environment: COLUMNS in it sets a width for these too, as for other programs.
    """
    console = Console()
    if console.is_terminal:
        return console
    columns = environment.get("COLUMNS", "")
    return Console(width=int(columns) if columns.isdecimal() and int(columns) else _UNBOUNDED)


def print_summary(summary: Summary, console: Console) -> None:
    """Print the summary for a person."""
    counts = {name: summary.counts[name] for name in COUNTS if name in summary.counts}
    console.print(", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts.items()))
    if summary.limit is not None:
        console.print(f"limited to the first {summary.limit:,} samples")
    if summary.findings:
        console.print(_tabulate_findings(summary.findings))
        if any(finding.get("holdout_n") is not None for finding in summary.findings):
            console.print(HELD_OUT, soft_wrap=True)
    elif "slices" in counts:
        console.print("No weak slice found; the report says which gaps this data could have shown.")
    for table in tabulate_gaps(summary.gaps):
        console.print(table)
    for system, verdict in summary.gates.items():
        console.print(f"gates: {system}: {verdict}")
    for system, noted in summary.systems.items():
        for warning in noted.get("warnings", ()):
            console.print(f"questionable: {system}: {warning}", soft_wrap=True, markup=False)
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in summary.seconds.items())
    console.print(f"times: {times}")
    if summary.report:
        console.print(f"report: {Path(summary.report)}", soft_wrap=True)


def _tabulate_findings(findings: tuple[Mapping[str, Any], ...]) -> Table:
    table = Table(title="Weak slices, worst first", title_justify="left")
    several = len({finding["system"] for finding in findings}) > 1
    names = ["slice", "n", "error", "elsewhere", "state", "by"]
    for name in (["system"] if several else []) + names:
        table.add_column(name, justify="right" if name in {"n", "error", "elsewhere"} else "left")
    for finding in findings:
        cells = [
            write_predicates(finding["predicates"]),
            f"{finding['n']:,}",
            f"{finding['error']:.3g}",
            f"{finding['rest_error']:.3g}",
            finding["state"],
            write_evidence(finding),
        ]
        table.add_row(*([finding["system"]] if several else []), *cells)
    return table


def tabulate_gaps(gaps: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Return a table for each system and source of labels, of the gaps as `read_gaps` orders them.

    Pairs of attributes are shown where they hold up as a gap.
    """
    keys = dict.fromkeys((gap["system"], gap["labels"]) for gap in gaps)
    return [
        _tabulate_gaps([g for g in gaps if (g["system"], g["labels"]) == key], system, labels)
        for key in keys
        for system, labels in [key]
    ]


def _tabulate_gaps(gaps: Sequence[Mapping[str, Any]], system: str, labels: str) -> Table:
    listed = [gap for gap in gaps if gap["level"] == 1 or gap["state"] == "gap"]
    left = len(gaps) - len(listed[:SHOWN])
    title = f"{system}: groups {_BY[labels]} against the rest"
    table = Table(title=title, title_justify="left", caption_justify="left", box=SIMPLE)
    groups = "group is" if left == 1 else "groups are"
    table.caption = f"{left} more {groups} in the report" if left else None
    table.add_column("group")
    for name in ("n", "error", "gap", "95 %", "adjusted"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state")
    for gap in listed[:SHOWN]:
        table.add_row(
            write_predicates(gap["predicates"]),
            f"{gap['n']:,}",
            _write(gap["value"], ".3f"),
            _write(gap["difference"], "+.3f"),
            _write_interval(gap["difference_low"], gap["difference_high"]),
            _write(gap["adjusted_difference"], "+.3f"),
            _write_state(gap),
        )
    return table


def _write(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _write_interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:+.3f} to {high:+.3f}"


def _write_state(gap: Mapping[str, Any]) -> str:
    """Say of a group without a sample that it is empty, of a small one how many would do."""
    state = gap["state"] if gap["n"] else "empty"
    return f"{state}; {gap['needed_n']:,} would do" if gap["needed_n"] else state
