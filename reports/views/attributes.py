"""Attributes and their values, worded and drawn for the template."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from pipeline.vocabulary import UNKNOWN
from reports.models import AttributeReport, ReportData, SystemReport
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import draw_bar, draw_interval, make_scale
from reports.parts.numbers import format_count, format_edge, format_percent
from reports.parts.words import SOURCES, ErrorWords

SHOWN_VALUES = 12  # rows of one attribute before others fold away
_PEOPLE = {"gender", "sex", "age", "skin_tone", "skin_color", "race", "ethnicity"}


@dataclass(frozen=True)
class ErrorCell:
    """Mean error of one system over one value."""

    chart: Markup
    value: str
    interval: str


@dataclass(frozen=True)
class ValueView:
    """One row of an attribute's table."""

    value: str
    n: str
    share: str
    bar: Markup
    errors: list[ErrorCell | None]  # in the order of the systems


@dataclass(frozen=True)
class AttributeView:
    """One attribute: how it was labelled and its table. anchor: its id on the page."""

    name: str
    anchor: str
    source: str
    details: list[str]
    shown: list[ValueView]
    folded: list[ValueView]


def show_perceived(attributes: Sequence[AttributeReport]) -> bool:
    """Return whether the page must say that labels of people are perceived appearance.

    True for any attribute marked sensitive, any shipped file about persons, and common names
    of such traits, whoever labelled them.
    """
    return any(
        attribute.sensitive
        or attribute.reference.startswith("person/")
        or attribute.name.lower() in _PEOPLE
        for attribute in attributes
    )


def view_attributes(data: ReportData, text: Words = ENGLISH) -> list[AttributeView]:
    """Return one view for each attribute that was declared or covered, in that order."""
    declared = {attribute.name: attribute for attribute in data.attributes}
    covered = data.coverage["attribute"].unique(maintain_order=True).to_list()
    names = [*declared, *(name for name in covered if name not in declared)]
    parts = data.value_errors.partition_by("system", as_dict=True)
    nothing = data.value_errors.clear()
    tables = {system.name: parts.get((system.name,), nothing) for system in data.systems}
    return [
        _view_attribute(name, f"attribute-{index}", declared.get(name), data, tables, text)
        for index, name in enumerate(names, 1)
    ]


def _view_attribute(
    name: str,
    anchor: str,
    attribute: AttributeReport | None,
    data: ReportData,
    tables: dict[str, pl.DataFrame],
    text: Words,
) -> AttributeView:
    rows = data.coverage.filter(pl.col("attribute") == name)
    values: list[str] = rows["value"].to_list()
    cells = [
        _view_errors(tables[system.name].filter(pl.col("attribute") == name), system, values, text)
        for system in data.systems
    ]
    scale = make_scale([1.0])
    views = [
        ValueView(
            value=row["value"],
            n=format_count(row["n"]),
            share=format_percent(row["share"]),
            bar=draw_bar(row["share"], scale, kind="share"),
            errors=[column[row["value"]] for column in cells],
        )
        for row in rows.to_dicts()
    ]
    return AttributeView(
        name=name,
        anchor=anchor,
        source=text.say(SOURCES[attribute.source]) if attribute else "",
        details=_list_details(attribute, rows, text),
        shown=views[:SHOWN_VALUES],
        folded=views[SHOWN_VALUES:],
    )


def _list_details(attribute: AttributeReport | None, rows: pl.DataFrame, text: Words) -> list[str]:
    details = []
    if attribute and attribute.edges:
        edges = ", ".join(format_edge(edge) for edge in attribute.edges)
        details.append(text.say("bin edges {edges}", edges=edges))
    if attribute and attribute.sensitive:
        details.append(text.say("perceived appearance"))
    unknown = float(rows.filter(pl.col("value") == UNKNOWN)["share"].sum())
    details.append(
        text.say("{share} unknown", share=format_percent(unknown))
        if unknown
        else text.say("none unknown")
    )
    return details


def _view_errors(
    table: pl.DataFrame, system: SystemReport, values: list[str], text: Words
) -> dict[str, ErrorCell | None]:
    """Return the error cell of each value; None where the system has no error there."""
    words = ErrorWords(system.metric, system.share, success=system.mostly_wrong, text=text)
    rows = {row["value"]: row for row in table.to_dicts()}
    shown = [
        words.turn(row[name]) for row in rows.values() for name in ("error", "ci_low", "ci_high")
    ]
    scale = make_scale([*shown, words.turn(system.overall_error)])
    cells: dict[str, ErrorCell | None] = {}
    for value in values:
        row = rows.get(value)
        if row is None or row["error"] is None:
            cells[value] = None
            continue
        low, high = row["ci_low"], row["ci_high"]
        if words.success:
            low, high = high, low
        overall = words.turn(system.overall_error)
        cells[value] = ErrorCell(
            chart=draw_interval(
                words.turn(row["error"]), words.turn(low), words.turn(high), scale, mark=overall
            ),
            value=words.write_value(row["error"]),
            interval=""  # of a single image
            if low is None
            else words.write_range(low, high),
        )
    return cells
