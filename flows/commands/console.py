"""What the command prints for a person: the summary of a run, the result of a search."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flows.commands.check_advice import advise_checks, advise_gates
from flows.commands.console_tables import (
    tabulate_best,
    tabulate_findings,
    tabulate_gaps,
    tabulate_hidden,
)
from flows.run.summary import COUNTS, Summary
from pipeline.vocabulary import NOT_JUDGED

if TYPE_CHECKING:
    from pipeline.slices import SliceResult

HELD_OUT = "n, error and elsewhere are of the samples searched, without those held out."
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
    if summary.kept:
        console.print(f"not done again, since nothing changed: {', '.join(summary.kept)}")
    _print_findings(summary, console)
    for table in tabulate_gaps(summary.gaps):
        console.print(table)
    _print_verdicts(summary, console)
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in summary.seconds.items())
    console.print(f"times: {times}")
    if summary.report:
        console.print(f"report: {Path(summary.report)}", soft_wrap=True)


def _print_findings(summary: Summary, console: Console) -> None:
    """Print the findings, what to check of their labels, and what wrong labels hide."""
    if summary.findings:
        console.print(tabulate_findings("Weak slices, worst first", summary.findings))
        if any(finding.get("holdout_n") is not None for finding in summary.findings):
            console.print(HELD_OUT, soft_wrap=True)
        for line in advise_checks(summary):
            console.print(line, soft_wrap=True, markup=False)
    elif "slices" in summary.counts:
        console.print("No weak slice found; the report says which gaps this data could have shown.")
    if summary.worth_checking:
        console.print(tabulate_hidden(summary.worth_checking))


def _print_verdicts(summary: Summary, console: Console) -> None:
    """Print the verdicts of the gates, and what makes outputs questionable."""
    for system, verdict in summary.gates.items():
        console.print(f"gates: {system}: {verdict}")
    if NOT_JUDGED in summary.gates.values():
        console.print(advise_gates(summary), soft_wrap=True, markup=False)
    for system, noted in summary.systems.items():
        for warning in noted.get("warnings", ()):
            console.print(f"questionable: {system}: {warning}", soft_wrap=True, markup=False)


def print_result(result: "SliceResult", console: Console, *, top: int) -> None:
    """Print the findings and the `top` best slices of a search for a person."""
    if result.findings.height:
        findings = result.findings.to_dicts()
        console.print(tabulate_findings("Findings", findings, with_difference=True))
        if result.search.holdout_n:
            console.print(HELD_OUT, soft_wrap=True)
    else:
        console.print("No slice holds up as a finding.")
    console.print(tabulate_best(result.family, top=top))
