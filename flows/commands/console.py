"""What a run tells at its end: an object for programs, a few lines for people."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.commands.gap_tables import tabulate_gaps
from pipeline.exceptions import WeakspotError
from reports.parts.words import write_predicates

__all__ = ["COUNTS", "GatesFailedError", "Summary", "print_summary", "write_predicates"]

COUNTS = (
    "samples",
    "rejects",
    "images_embedded",
    "prompts_encoded",
    "samples_labelled",
    "errors",
    "samples_without_error",
    "errors_without_sample",
    "slices",
)


@dataclass(frozen=True)
class Summary:
    """One run: counts of what was made, findings and gaps worst first, seconds per stage.

    gates: for each system pass, fail or insufficient evidence, where the audit has gates.
    """

    run_id: str
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[Mapping[str, Any], ...] = ()
    gates: Mapping[str, str] = field(default_factory=dict)
    report: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the summary as one JSON object; every count is there, 0 when nothing was made."""
        content = asdict(self)
        content["counts"] = {**dict.fromkeys(COUNTS, 0), **self.counts}
        return json.dumps(content, ensure_ascii=False)


class GatesFailedError(WeakspotError):
    """A gap between groups is larger than the gates allow; all that was asked for is done."""

    exit_code = 3

    def __init__(self, message: str, summary: Summary) -> None:
        super().__init__(message)
        self.summary = summary


def print_summary(summary: Summary, console: Console) -> None:
    """Print the summary for a person."""
    counts = {name: summary.counts[name] for name in COUNTS if name in summary.counts}
    console.print(", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts.items()))
    if summary.findings:
        console.print(_tabulate(summary.findings))
    elif "slices" in counts:
        console.print("No weak slice found; the report says which gaps this data could have shown.")
    for table in tabulate_gaps(summary.gaps):
        console.print(table)
    for system, verdict in summary.gates.items():
        console.print(f"gates: {system}: {verdict}")
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in summary.seconds.items())
    console.print(f"times: {times}")
    if summary.report:
        console.print(f"report: {Path(summary.report)}", soft_wrap=True)


def _tabulate(findings: tuple[Mapping[str, Any], ...]) -> Table:
    table = Table(title="Weak slices, worst first", title_justify="left")
    several = len({finding["system"] for finding in findings}) > 1
    names = ["slice", "n", "error", "elsewhere", "q", "state"]
    for name in (["system"] if several else []) + names:
        table.add_column(name, justify="left" if name in {"slice", "state", "system"} else "right")
    for finding in findings:
        cells = [
            write_predicates(finding["predicates"]),
            f"{finding['n']:,}",
            f"{finding['error']:.3g}",
            f"{finding['rest_error']:.3g}",
            f"{finding['q']:.2g}",
            finding["state"],
        ]
        table.add_row(*([finding["system"]] if several else []), *cells)
    return table
