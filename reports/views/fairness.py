"""The gaps, gates and rates of each system, for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.fairness.verdicts import select_counted
from pipeline.vocabulary import GAP, INSUFFICIENT, MODELLED, NO_GAP
from reports.models import FairnessReport, ReportData
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import make_scale
from reports.parts.numbers import format_count, format_percent
from reports.parts.words import ErrorWords, enumerate_words, write_group_sources
from reports.views.corrections import is_corrected
from reports.views.gates import GateView, view_gates
from reports.views.groups import (
    SHOWN_GROUPS,
    STATES,
    GroupContext,
    GroupTable,
    GroupView,
    Row,
    name_state,
    order_group,
    view_group,
    view_groups,
)
from reports.views.rates import DisparityView, RateTable, view_disparities, view_rates

_SHOWN = ("value", "ci_low", "ci_high", "corrected_value", "corrected_low", "corrected_high")
NAMED_GROUPS = 3  # in the sentence about those worst off
COUNTED = {GAP: "with a gap", NO_GAP: "with no gap shown", INSUFFICIENT: f"with {INSUFFICIENT}"}


@dataclass(frozen=True)
class FairnessView:
    """One system by one source of labels."""

    anchor: str
    system: str
    source_words: str
    noisy: str  # the attributes whose labels a model made, so that some are wrong; "" without
    mixed: bool  # whether others are given or measured
    unchecked: str  # those of them of whose labels nothing says how many are wrong
    corrected: bool  # whether numbers are corrected for wrong labels
    words: ErrorWords
    gates: GateView | None
    overruled: bool  # whether the verdict of the gates is that by true attributes
    counts: list[str]  # "6 with a gap", ...; none of no groups
    worst: list[GroupView]  # those with a gap that fare worse, worst first
    overall: str
    adjusted: str  # the covariates, "" without
    tables: list[GroupTable]
    rates: list[RateTable]
    disparities: list[DisparityView]
    notes: tuple[str, ...]
    perceived: bool


def view_fairness(data: ReportData, text: Words = ENGLISH) -> list[FairnessView]:
    """Return one view for each system and source of labels; true attributes before predicted."""
    order = {system.name: index for index, system in enumerate(data.systems)}
    reports = sorted(
        data.fairness,
        key=lambda report: (order.get(report.system, len(order)), report.labels != "truth"),
    )
    return [
        _view_report(report, data, text, anchor=f"fairness-{index}")
        for index, report in enumerate(reports, 1)
    ]


def _view_report(
    report: FairnessReport, data: ReportData, text: Words, *, anchor: str
) -> FairnessView:
    words = ErrorWords(report.metric, _is_share(report, data), text=text)
    given = report.gaps.filter(pl.col("metric") == "error").to_dicts()
    rows = sorted(given, key=order_group)
    overall = _find_overall(rows)
    shown = [row[name] for row in rows for name in _SHOWN]
    context = GroupContext(
        words=words,
        scale=make_scale([*shown, overall]),
        overall=overall,
        precision=_read_precision(report, data),
        adjusted=bool(report.adjust_for),
    )
    tables = _tabulate(rows, given, report.attributes, context, order=_order_values(data))
    sources = _find_sources(report, data)
    noisy = [name for name, source in sources.items() if source in MODELLED]
    unchecked = _list_unchecked(rows, noisy)
    return FairnessView(
        anchor=anchor,
        system=report.system,
        source_words=write_group_sources(report.labels, sources.values(), text),
        noisy=enumerate_words(noisy, text),
        mixed=len(noisy) < len(sources),
        unchecked=enumerate_words(unchecked, text),
        corrected=any(is_corrected(row) for row in rows),
        words=words,
        gates=view_gates(report, words, noisy=bool(noisy), unchecked=bool(unchecked)),
        overruled=_is_overruled(report, data),
        counts=_count_states(rows, text),
        worst=[view_group(row, context) for row in _choose_worst(rows)],
        overall="" if overall is None else words.write(overall),
        adjusted=enumerate_words(report.adjust_for, text),
        tables=tables,
        rates=view_rates(
            report.gaps, text, first=[row.predicates for table in tables for row in table.shown]
        ),
        disparities=view_disparities(report.disparities, text),
        notes=report.notes,
        perceived=report.perceived,
    )


def _list_unchecked(rows: Sequence[Row], noisy: Sequence[str]) -> list[str]:
    """Return those attributes, of whose labels a model made, that no group is corrected by."""
    known = {one["attribute"] for row in rows if is_corrected(row) for one in row["predicates"]}
    return [name for name in noisy if name not in known]


def _is_overruled(report: FairnessReport, data: ReportData) -> bool:
    """Return whether verdicts by true attributes count in place of all of the report's own."""
    if report.verdicts is None or report.verdicts.is_empty():
        return False
    counted = select_counted(
        pl.concat(
            other.verdicts.with_columns(labels=pl.lit(other.labels))
            for other in data.fairness
            if other.system == report.system and other.verdicts is not None
        )
    )
    return not (counted["labels"] == report.labels).any()


def _is_share(report: FairnessReport, data: ReportData) -> bool:
    """Return whether errors read as percentages: as the system has it, else if all means can."""
    for system in data.systems:
        if system.name == report.system:
            return system.share
    values = report.gaps.filter(pl.col("metric") == "error")["value"].drop_nulls()
    return bool(values.is_between(0, 1).all())


def _find_sources(report: FairnessReport, data: ReportData) -> dict[str, str]:
    """Return what made the labels of each attribute that is compared; nothing of true ones."""
    if report.labels == "truth":
        return {}
    sources = {attribute.name: attribute.source for attribute in data.attributes}
    return {name: sources.get(name, "zero-shot") for name in report.attributes}


def _find_overall(rows: Sequence[Row]) -> float | None:
    """Return the mean over all samples, from the first group that has samples."""
    for row in rows:
        if row["value"] is not None and row["overall_difference"] is not None:
            return float(row["value"] - row["overall_difference"])
    return None


def _choose_worst(rows: Sequence[Row]) -> list[Row]:
    """Return the first groups with a larger error than their complement, worst first.

    A pair whose gap one of its values alone may have as well says nothing more than that value.
    """
    worse = [row for row in rows if name_state(row) == GAP and (row["difference"] or 0) > 0]
    reach = {
        (row["predicates"][0]["attribute"], row["predicates"][0]["value"]): row["difference_high"]
        for row in worse
        if row["level"] == 1 and row["difference_high"] is not None
    }
    named = [
        row
        for row in worse
        if row["level"] == 1
        or all(
            row["difference"] > reach.get((one["attribute"], one["value"]), 0.0)
            for one in row["predicates"]
        )
    ]
    return sorted(named, key=lambda row: -row["difference"])[:NAMED_GROUPS]


def _count_states(rows: Sequence[Row], text: Words) -> list[str]:
    states = [name_state(row) for row in rows]
    return [
        f"{format_count(states.count(state))} {text.say(COUNTED.get(state, state))}"
        for state in STATES
        if state in states
    ]


def _read_precision(report: FairnessReport, data: ReportData) -> dict[tuple[str, str], str]:
    """Return by attribute and value the precision of predicted labels, where known."""
    if report.labels == "truth" or data.label_quality is None:
        return {}
    return {
        (row["attribute"], row["value"]): format_percent(row["precision"])
        for row in data.label_quality.in_use.drop_nulls("precision").to_dicts()
    }


def _tabulate(
    rows: Sequence[Row],
    given: Sequence[Row],
    attributes: Sequence[str],
    context: GroupContext,
    *,
    order: Mapping[tuple[str, str], int],
) -> list[GroupTable]:
    """Return a table for each level: worst first, or by attribute where all are in view."""
    tables = []
    for level, title in ((1, "Groups"), (2, "Pairs of groups")):
        group: list[Row] = [row for row in rows if row["level"] == level]
        if level == 1 and len(group) <= SHOWN_GROUPS:
            group = _gather_attributes(
                [row for row in given if row["level"] == 1], attributes, order
            )
        if group:
            tables.append(view_groups(context.words.text.say(title), group, context))
    return tables


def _gather_attributes(
    rows: Sequence[Row], attributes: Sequence[str], order: Mapping[tuple[str, str], int]
) -> list[Row]:
    """Put the values of an attribute side by side: bins from low to high, others as given."""
    keys = [(row["predicates"][0]["attribute"], row["predicates"][0]["value"]) for row in rows]
    unordered = {name for name, value in keys if (name, value) not in order}

    def place(key: tuple[str, str]) -> tuple[int, str, int]:
        name = key[0]
        first = attributes.index(name) if name in attributes else len(attributes)
        return (first, name, 0 if name in unordered else order[key])

    paired = sorted(zip(keys, rows, strict=True), key=lambda pair: place(pair[0]))
    return [row for _, row in paired]


def _order_values(data: ReportData) -> dict[tuple[str, str], int]:
    """Return the place of each value in the coverage, which is in display order."""
    return {key: at for at, key in enumerate(data.coverage.select("attribute", "value").rows())}
