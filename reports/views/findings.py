"""One system's findings, worded and drawn for the template."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.vocabulary import CONFIRMED, INSUFFICIENT, UNCLEAR
from reports.models import SystemReport
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import Scale
from reports.parts.gallery import Picture, make_pictures
from reports.parts.numbers import format_count, format_number, format_percent, format_probability
from reports.parts.words import ErrorWords, Predicates, enumerate_words, write_evidence
from reports.views.corrections import (
    CorrectionView,
    WorthView,
    is_corrected,
    list_unchecked,
    view_correction,
    view_worth,
    write_error_range,
)
from reports.views.detectors import DetectorView, view_detector
from reports.views.finding_charts import ChartRow, chart_finding, scale_findings
from reports.views.regions import RegionView, view_regions
from reports.views.sweeps import SweepView, view_sweep

Row = Mapping[str, Any]


@dataclass(frozen=True)
class FindingView:
    """One card."""

    rank: int
    anchor: str
    predicates: Predicates
    state: str
    evidence: str  # the p or q behind the state
    unchecked: str  # the attributes whose labels a model made and nothing is known of, or ""
    correction: CorrectionView | None
    sentence: str
    n: str
    error: str
    corrected: str  # its error corrected for wrong labels, "" where there is none
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
    holding: int  # the findings that labels do not make unclear
    worth: list[WorthView]  # slices that are no findings as labelled, but may be when corrected
    worth_attributes: list[str]  # whose labels are to be checked for these
    lead: FindingView | None
    gap: str | None
    counted: str
    no_error: bool  # every sample has error zero
    top_slices: list[list[Any]]
    search_notes: tuple[str, ...]
    samples_without_error: int
    errors_without_sample: int
    detector: DetectorView | None
    regions: list[RegionView] | None


def view_system(
    system: SystemReport,
    *,
    index: int,
    modelled: Collection[str] = (),
    text: Words = ENGLISH,
) -> SystemView:
    """Turn the result of one system into what its part of the page shows.

    modelled: the attributes whose labels a model made. The lead, named in the verdict, is the best
    ranked confirmed finding, else the best ranked that labels do not make unclear, else the best.
    """
    words = ErrorWords(system.metric, system.share, success=system.mostly_wrong, text=text)
    rows = system.findings.sort("rank").to_dicts()
    scale = scale_findings(rows, system, words)
    views = [_view_finding(row, system, words, scale, index, modelled) for row in rows]
    findings = [view for view in views if view.state != INSUFFICIENT]
    confirmed = [view for view in findings if view.state == CONFIRMED]
    holding = [view for view in findings if view.state != UNCLEAR]
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
        failed=ErrorWords(system.metric, system.share, text=text).write(system.overall_error),
        findings=findings,
        insufficient=[view for view in views if view.state == INSUFFICIENT],
        holding=len(holding),
        worth=[view_worth(row, words) for row in system.worth_checking.to_dicts()],
        worth_attributes=_list_modelled(system.worth_checking["predicates"].to_list(), modelled),
        lead=next(iter(confirmed + holding + findings), None),
        gap=words.write_gap(gap) if gap is not None and gap == gap else None,
        counted=format_count(system.slices_counted),
        no_error=system.overall_error == 0,
        top_slices=[_list_slice(row, words) for row in system.top_slices.to_dicts()],
        search_notes=system.search_notes,
        samples_without_error=system.samples_without_error,
        errors_without_sample=system.errors_without_sample,
        detector=view_detector(system.detector, text),
        regions=view_regions(system, words, index=index),
    )


def _list_modelled(slices: Sequence[Predicates], modelled: Collection[str]) -> list[str]:
    """Return the attributes of some slices whose labels a model made, each once."""
    names = [one["attribute"] for predicates in slices for one in predicates]
    return [name for name in dict.fromkeys(names) if name in modelled]


def _view_finding(
    row: Row,
    system: SystemReport,
    words: ErrorWords,
    scale: Scale,
    index: int,
    modelled: Collection[str],
) -> FindingView:
    rank, folded = row["rank"], row["folded"] or []
    count = max(row["folded_count"] or 0, len(folded))
    return FindingView(
        rank=rank,
        anchor=f"system-{index}-finding-{rank}",
        predicates=row["predicates"],
        state=row["state"],
        evidence=write_evidence(row, words.text),
        unchecked=enumerate_words(list_unchecked(row, modelled), words.text),
        correction=view_correction(row, words),
        sentence=_say_error(row, words),
        n=format_count(row["n"]),
        error=words.write_value(row["error"]),
        corrected=_write_corrected(row, words),
        complement=words.write_value(row["rest_error"]),
        difference=words.write_difference(row["difference"]),
        chart=chart_finding(row, words, scale, words.turn(system.overall_error)),
        numbers=_list_numbers(row, words),
        folded=folded,
        folded_count=format_count(count),
        folded_more=count > len(folded),
        pictures=make_pictures(system.gallery.get(rank, ()), words),
        sweep=view_sweep(system.sweeps.get(rank), words),
    )


def _write_corrected(row: Row, words: ErrorWords) -> str:
    """Write the corrected error, of bounds their ends."""
    if not is_corrected(row):
        return ""
    if row["corrected_error"] is None:
        return write_error_range(row, words)
    return words.write_value(row["corrected_error"])


def _say_error(row: Row, words: ErrorWords) -> str:
    error, rest = words.write(row["error"]), words.write_value(row["rest_error"])
    return words.text.say("{error} against {rest} elsewhere", error=error, rest=rest)


def _list_numbers(row: Row, words: ErrorWords) -> list[tuple[str, str]]:
    """Return the statistics of a finding that are known, as (name, value)."""
    lift = row["lift"]
    say = words.text.say
    numbers = [
        (say("Error, times that elsewhere"), f"{format_number(lift)}\N{MULTIPLICATION SIGN}"),
        (say("Slice score"), format_number(row["score"])),
        ("p", format_probability(row["p"])),
        (say("q over all counted slices"), format_probability(row["q"])),
        (say("q after the findings above"), format_probability(row["q_residual"])),
        (say("family-wise p, over all counted slices"), format_probability(row["p_family"])),
        (say("Share of the excess error"), format_percent(row["explained_share"])),
    ]
    columns = ("lift", "score", "p", "q", "q_residual", "p_family", "explained_share")
    known = [pair for pair, name in zip(numbers, columns, strict=True) if row[name] is not None]
    if row["holdout_n"] is not None:
        held, complement = (
            words.write_value(row[f"holdout_{name}"]) for name in ("error", "rest_error")
        )
        known += [
            (say("Held out: samples in the slice"), format_count(row["holdout_n"])),
            (say("Held out: slice, elsewhere"), f"{held}, {complement}"),
            (say("Held out: p"), format_probability(row["holdout_p"])),
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
