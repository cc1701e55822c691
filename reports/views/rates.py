"""Rates of groups beside the error (recall, selection rate, ...) and disparities, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.vocabulary import INSUFFICIENT
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.numbers import MISSING, format_count, format_number, format_percent
from reports.parts.words import Predicates, enumerate_words, write_predicates
from reports.views.groups import LISTED_GROUPS, SHOWN_GROUPS


@dataclass(frozen=True)
class RateCell:
    """One metric of one group."""

    value: str
    interval: str
    n: str
    few: bool  # too few for an estimate


@dataclass(frozen=True)
class RateRow:
    """One group with a cell for each metric."""

    predicates: Predicates
    cells: list[RateCell]


@dataclass(frozen=True)
class RateTable:
    """The groups of one level: shown, folded away, and how many were left out of both."""

    title: str
    metrics: list[str]
    shown: list[RateRow]
    folded: list[RateRow]
    left_out: str


@dataclass(frozen=True)
class DisparityView:
    """One number for all groups of some attributes."""

    metric: str
    attributes: str
    value: str
    groups: str
    left_out: str


def view_rates(
    gaps: pl.DataFrame, text: Words = ENGLISH, *, first: Sequence[Predicates] = ()
) -> list[RateTable]:
    """Return a table for each level that has other metrics than the error.

    first: groups to begin with, in their order; others follow as given.
    """
    rates = gaps.filter(pl.col("metric") != "error")
    metrics: list[str] = rates["metric"].unique(maintain_order=True).to_list()
    tables = []
    for level, title in ((1, "Groups"), (2, "Pairs of groups")):
        groups: dict[str, list[dict[str, Any]]] = {write_predicates(p): [] for p in first}
        for row in rates.filter(pl.col("level") == level).to_dicts():
            groups.setdefault(write_predicates(row["predicates"]), []).append(row)
        found = [rows for rows in groups.values() if rows]
        if found:
            tables.append(_view_table(text.say(title), metrics, found, text))
    return tables


def _view_table(
    title: str,
    metrics: Sequence[str],
    groups: Sequence[Sequence[Mapping[str, Any]]],
    text: Words,
) -> RateTable:
    rows = []
    for group in groups[:LISTED_GROUPS]:
        found = {row["metric"]: _view_cell(row, text) for row in group}
        cells = [found.get(metric, RateCell(MISSING, "", "", few=False)) for metric in metrics]
        rows.append(RateRow(group[0]["predicates"], cells))
    more = len(groups) - len(rows)
    return RateTable(
        title=title,
        metrics=[text.say(metric) for metric in metrics],
        shown=rows[:SHOWN_GROUPS],
        folded=rows[SHOWN_GROUPS:],
        left_out=format_count(more) if more else "",
    )


def _view_cell(row: Mapping[str, Any], text: Words) -> RateCell:
    write = format_number if "per image" in row["metric"] else format_percent
    low, high = row["ci_low"], row["ci_high"]
    known = low is not None or high is not None
    return RateCell(
        value=write(row["value"]),
        interval=text.say("{low} to {high}", low=write(low), high=write(high)) if known else "",
        n="" if row["n"] is None else format_count(row["n"]),
        few=row["state"] == INSUFFICIENT,
    )


def view_disparities(disparities: pl.DataFrame, text: Words = ENGLISH) -> list[DisparityView]:
    """Return the rows of the table of disparities, as given."""
    return [
        DisparityView(
            metric=text.say(row["metric"]),
            attributes=enumerate_words(row["attributes"] or [], text),
            value=_write_disparity(row["metric"], row["value"], text),
            groups=format_count(row["groups"] or 0),
            left_out=format_count(row["left_out"] or 0),
        )
        for row in disparities.to_dicts()
    ]


def _write_disparity(metric: str, value: float | None, text: Words) -> str:
    """Write a difference of rates in points, a ratio as a number."""
    if value is None or value != value or "difference" not in metric:
        return format_number(value)
    return text.say("{n} points", n=f"{100 * value:.1f}")
