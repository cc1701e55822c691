"""The page that lists the runs of an audit: errors, findings and their trends, links to reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.comparison.trends import BACK, GONE, LASTING, NEW, SliceTrend
from reports.parts.catalogue import Words
from reports.parts.charts import Scale, draw_bar, draw_trend, make_scale
from reports.parts.numbers import MINUS, format_number, format_time
from reports.parts.templates import render_page
from reports.parts.words import Predicates

SHOWN_TRENDS = 40  # slices of one system
_SIGNS = {  # so that no verdict is known by its color alone
    NEW: "\N{BLACK UP-POINTING TRIANGLE}",
    LASTING: "=",
    BACK: "\N{BLACK UP-POINTING TRIANGLE}",
    GONE: "\N{CHECK MARK}",
}


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
class SystemTrends:
    """The findings of one system over its last runs.

    started_at: of these runs, the oldest first, as many as each trend has gaps.
    """

    started_at: tuple[str, ...]
    slices: tuple[SliceTrend, ...]


@dataclass(frozen=True)
class _Row:
    """One run in the table of a system."""

    run: HistoryRun
    system: SystemRun
    error: str
    error_bar: Markup
    findings_bar: Markup


@dataclass(frozen=True)
class _TrendRow:
    """One slice in the table of trends."""

    predicates: Predicates
    rank: str
    sign: str
    verdict: str
    since: str
    chart: Markup
    first: str
    last: str
    held: str


@dataclass(frozen=True)
class _SystemPart:
    """One system's part of the page. runs: how many the trends are over."""

    name: str
    rows: list[_Row]
    trends: list[_TrendRow]
    runs: int
    more: int


def build_history(
    audit: str,
    runs: Sequence[HistoryRun],
    *,
    trends: Mapping[str, SystemTrends] | None = None,
    total: int | None = None,
    language: str = "en",
) -> str:
    """Return one self-contained HTML page without scripts; runs: the newest first.

    trends: by system. total: how many runs there are, where not all are listed.
    """
    names = dict.fromkeys(system.name for run in runs for system in run.systems)
    return render_page(
        "history.html",
        language=language,
        title=Words(language).say("{audit}: history", audit=audit),
        audit=audit,
        count=len(runs) if total is None else total,
        listed=len(runs),
        systems=[_view_system(name, runs, (trends or {}).get(name)) for name in names],
    )


def _view_system(name: str, runs: Sequence[HistoryRun], trends: SystemTrends | None) -> _SystemPart:
    slices = () if trends is None else trends.slices
    scale = make_scale(gap for one in slices[:SHOWN_TRENDS] for gap in one.gaps)
    times = () if trends is None else trends.started_at
    return _SystemPart(
        name=name,
        rows=_list_rows(name, runs),
        trends=[_view_trend(one, times, scale) for one in slices[:SHOWN_TRENDS]],
        runs=len(times),
        more=max(0, len(slices) - SHOWN_TRENDS),
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


def _view_trend(trend: SliceTrend, times: Sequence[str], scale: Scale) -> _TrendRow:
    known = [gap for gap in trend.gaps if gap is not None]
    return _TrendRow(
        predicates=trend.predicates,
        rank="" if trend.rank is None else str(trend.rank),
        sign=_SIGNS[trend.verdict],
        verdict=trend.verdict,
        since=format_time(times[trend.turned]),
        chart=draw_trend(trend.gaps, trend.holds, scale),
        first=_write_gap(known[0] if known else None),
        last=_write_gap(trend.gaps[-1]),
        held=str(sum(trend.holds)),
    )


def _write_gap(gap: float | None) -> str:
    text = format_number(gap)
    return text if gap is None or text.startswith(MINUS) else f"+{text}"
