"""One system's findings, worded and drawn for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.vocabulary import CONFIRMED, INSUFFICIENT
from reports.models import SystemReport
from reports.parts.charts import Scale, draw_bar, draw_interval, make_scale
from reports.parts.gallery import Picture, make_pictures
from reports.parts.numbers import format_count, format_number, format_percent, format_probability
from reports.parts.words import ErrorWords, Predicates, write_evidence
from reports.views.detectors import DetectorView, view_detector
from reports.views.sweeps import SweepView, view_sweep

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ChartRow:
    """One line of a finding's chart: what it is, its picture, its number."""

    label: str
    chart: Markup
    value: str
    note: str = ""


@dataclass(frozen=True)
class FindingView:
    """One card."""

    rank: int
    anchor: str
    predicates: Predicates
    state: str
    evidence: str  # the p or q behind the state
    sentence: str
    n: str
    error: str
    complement: str
    difference: str
    chart: list[ChartRow]
    numbers: list[tuple[str, str]]
    folded: list[Predicates]
    folded_count: str
    folded_more: bool  # whether only the first are listed
    pictures: list[Picture]
    sweep: SweepView | None


@dataclass(frozen=True)
class SystemView:
    """One system's part of the page."""

    name: str
    anchor: str
    words: ErrorWords
    n: int
    searched: str  # how many of them were searched where some were held out, else ""
    held_out: str
    overall: str
    mostly_wrong: bool
    failed: str  # its overall error, also where success rates are shown
    findings: list[FindingView]
    insufficient: list[FindingView]
    lead: FindingView | None
    gap: str | None
    counted: str
    no_error: bool  # every sample has error zero
    top_slices: list[list[Any]]
    search_notes: tuple[str, ...]
    samples_without_error: int
    errors_without_sample: int
    detector: DetectorView | None


def view_system(system: SystemReport, *, index: int) -> SystemView:
    """Turn the result of one system into what its part of the page shows.

    The lead, named in the verdict, is the best ranked confirmed finding, else the best ranked.
    """
    words = ErrorWords(system.metric, system.share, success=system.mostly_wrong)
    rows = system.findings.sort("rank").to_dicts()
    scale = _scale_findings(rows, system, words)
    views = [_view_finding(row, system, words, scale, index) for row in rows]
    findings = [view for view in views if view.state != INSUFFICIENT]
    confirmed = [view for view in findings if view.state == CONFIRMED]
    gap = system.detectable_gap
    return SystemView(
        name=system.name,
        anchor=f"system-{index}",
        words=words,
        n=system.n,
        searched=format_count(system.n - system.holdout_n) if system.holdout_n else "",
        held_out=format_count(system.holdout_n),
        overall=words.write(system.overall_error),
        mostly_wrong=system.mostly_wrong,
        failed=ErrorWords(system.metric, system.share).write(system.overall_error),
        findings=findings,
        insufficient=[view for view in views if view.state == INSUFFICIENT],
        lead=next(iter(confirmed + findings), None),
        gap=words.write_gap(gap) if gap is not None and gap == gap else None,
        counted=format_count(system.slices_counted),
        no_error=system.overall_error == 0,
        top_slices=[_list_slice(row, words) for row in system.top_slices.to_dicts()],
        search_notes=system.search_notes,
        samples_without_error=system.samples_without_error,
        errors_without_sample=system.errors_without_sample,
        detector=view_detector(system.detector),
    )


def _scale_findings(rows: Sequence[Row], system: SystemReport, words: ErrorWords) -> Scale:
    """Return one scale for all cards of a system, so that they can be compared by eye."""
    means = [words.turn(row[name]) for row in rows for name in ("error", "rest_error")]
    means += [words.turn(row[name]) for row in rows for name in ("holdout_error",)]
    gaps = [
        _turn_gap(row[name], words)
        for row in rows
        for name in ("difference", "ci_low", "ci_high", "holdout_ci_low", "holdout_ci_high")
    ]
    return make_scale([*means, *gaps, words.turn(system.overall_error)])


def _turn_gap(difference: float | None, words: ErrorWords) -> float | None:
    return -difference if words.success and difference is not None else difference


def _view_finding(
    row: Row, system: SystemReport, words: ErrorWords, scale: Scale, index: int
) -> FindingView:
    rank, folded = row["rank"], row["folded"] or []
    count = max(row["folded_count"] or 0, len(folded))
    return FindingView(
        rank=rank,
        anchor=f"system-{index}-finding-{rank}",
        predicates=row["predicates"],
        state=row["state"],
        evidence=write_evidence(row),
        sentence=_say_error(row, words),
        n=format_count(row["n"]),
        error=words.write_value(row["error"]),
        complement=words.write_value(row["rest_error"]),
        difference=words.write_difference(row["difference"]),
        chart=_chart_finding(row, words, scale, words.turn(system.overall_error)),
        numbers=_list_numbers(row, words),
        folded=folded,
        folded_count=format_count(count),
        folded_more=count > len(folded),
        pictures=make_pictures(system.gallery.get(rank, ()), words),
        sweep=view_sweep(system.sweeps.get(rank), words),
    )


def _say_error(row: Row, words: ErrorWords) -> str:
    return f"{words.write(row['error'])} against {words.write_value(row['rest_error'])} elsewhere"


def _chart_finding(
    row: Row, words: ErrorWords, scale: Scale, overall: float | None
) -> list[ChartRow]:
    """Draw slice, complement and their difference; the held-out half too where there is one."""
    lines = []
    for label, column, kind in (
        ("This slice", "error", "slice"),
        ("Elsewhere", "rest_error", "rest"),
    ):
        bar = draw_bar(words.turn(row[column]), scale, kind=kind, mark=overall)
        lines.append(ChartRow(label, bar, words.write_value(row[column])))
    lines.append(
        _chart_gap("Difference", row["difference"], row["ci_low"], row["ci_high"], words, scale)
    )
    held, complement = row["holdout_error"], row["holdout_rest_error"]
    if held is not None and complement is not None:
        ends = (row["holdout_ci_low"], row["holdout_ci_high"])
        lines.append(_chart_gap("Held-out difference", held - complement, *ends, words, scale))
    return lines


def _chart_gap(
    label: str,
    gap: float | None,
    low: float | None,
    high: float | None,
    words: ErrorWords,
    scale: Scale,
) -> ChartRow:
    if words.success:
        low, high = high, low  # success is 1 - error: the ends change places
    ends = (_turn_gap(low, words), _turn_gap(high, words))
    value = words.write_difference(gap)
    bounds = [words.write_bound(end) for end in (low, high)]
    note = f"{bounds[0]} to {bounds[1]}" if low is not None or high is not None else ""
    spoken = f"{label} {value}" + (f", 95 percent interval {note}" if note else "")
    chart = draw_interval(_turn_gap(gap, words), *ends, scale, label=spoken)
    return ChartRow(label, chart, value, note)


def _list_numbers(row: Row, words: ErrorWords) -> list[tuple[str, str]]:
    """Return the statistics of a finding that are known, as (name, value)."""
    lift = row["lift"]
    numbers = [
        ("Error, times that elsewhere", f"{format_number(lift)}\N{MULTIPLICATION SIGN}"),
        ("Slice score", format_number(row["score"])),
        ("p", format_probability(row["p"])),
        ("q over all counted slices", format_probability(row["q"])),
        ("q after the findings above", format_probability(row["q_residual"])),
        ("family-wise p, over all counted slices", format_probability(row["p_family"])),
        ("Share of the excess error", format_percent(row["explained_share"])),
    ]
    columns = ("lift", "score", "p", "q", "q_residual", "p_family", "explained_share")
    known = [pair for pair, name in zip(numbers, columns, strict=True) if row[name] is not None]
    if row["holdout_n"] is not None:
        held, complement = (
            words.write_value(row[f"holdout_{name}"]) for name in ("error", "rest_error")
        )
        known += [
            ("Held out: samples in the slice", format_count(row["holdout_n"])),
            ("Held out: slice, elsewhere", f"{held}, {complement}"),
            ("Held out: p", format_probability(row["holdout_p"])),
        ]
    return known


def _list_slice(row: Row, words: ErrorWords) -> list[Any]:
    """Return the cells of one row of the table of top slices; the first is predicates."""
    return [
        row["predicates"],
        format_count(row["n"]),
        words.write_value(row["error"]),
        words.write_value(row["rest_error"]),
        format_number(row["score"]),
        format_probability(row["p"]),
        format_probability(row["q"]),
    ]
