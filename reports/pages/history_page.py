"""The page that lists the runs of an audit: errors, findings and a link to each report."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.parts.charts import draw_bar, make_scale
from reports.parts.numbers import format_number
from reports.parts.templates import render_page


@dataclass(frozen=True)
class SystemRun:
    """What one run found of one system.

    samples: how many were searched. error: the mean of all. findings: how many hold up.
    """

    name: str
    samples: int
    error: float
    findings: int


@dataclass(frozen=True)
class HistoryRun:
    """One run; href: of its report, relative to the page, None where it is not kept."""

    run_id: str
    started_at: str
    href: str | None
    systems: tuple[SystemRun, ...]


@dataclass(frozen=True)
class _Row:
    """One run in the table of a system."""

    run: HistoryRun
    system: SystemRun
    error: str
    error_bar: Markup
    findings_bar: Markup


def build_history(audit: str, runs: Sequence[HistoryRun]) -> str:
    """Return one self-contained HTML page without scripts; runs: the newest first."""
    names = dict.fromkeys(system.name for run in runs for system in run.systems)
    return render_page(
        "history.html",
        title=f"{audit}: history",
        audit=audit,
        count=len(runs),
        systems=[(name, _list_rows(name, runs)) for name in names],
    )


def _list_rows(name: str, runs: Sequence[HistoryRun]) -> list[_Row]:
    """Return the rows of one system, whose bars share one scale."""
    own = [(run, system) for run in runs for system in run.systems if system.name == name]
    errors = make_scale(system.error for _, system in own)
    findings = make_scale(float(system.findings) for _, system in own)
    return [
        _Row(
            run=run,
            system=system,
            error=format_number(system.error),
            error_bar=draw_bar(system.error, errors, kind="slice"),
            findings_bar=draw_bar(float(system.findings), findings, kind="rest"),
        )
        for run, system in own
    ]
