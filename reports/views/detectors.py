"""A detector as a whole, worded for the template."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.errors.evaluation.false_detections import COLUMNS, ROWS
from reports.models import DetectorReport
from reports.parts.catalogue import ENGLISH, Words
from reports.parts.charts import Scale, draw_interval
from reports.parts.curves import draw_grid_counts, draw_precision_recall
from reports.parts.numbers import format_count, format_edge, format_number, format_percent

SHOWN_CATEGORIES = 20
SHOWN_CONFUSIONS = 20
CURVE_ROWS = 11  # of the table beside the curve
MEANINGS = {  # of the kinds of errors, in the words of TIDE
    "class": "on an object of another category",
    "localization": "on an object of its category, but not well enough",
    "both": "near an object of another category, and not well enough",
    "duplicate": "on an object that a better one has found",
    "background": "where no object is",
    "missed": "objects that no detection is about",
}
POINTS = {
    "as audited": "As audited: all detections that count",
    "best F1": "Where precision and recall balance best (F1)",
}


@dataclass(frozen=True)
class CurveView:
    """Precision over recall. name: a category, "" of all; rows: threshold, precision, recall."""

    name: str
    chart: Markup
    rows: list[tuple[str, str, str]]


@dataclass(frozen=True)
class PlacesView:
    """Where the false detections of one kind lie; chart: a grid over the image."""

    kind: str
    n: str
    most: str  # in one cell
    chart: Markup


@dataclass(frozen=True)
class SizeRow:
    """Objects and detections of one size."""

    name: str
    objects: str
    recall: str
    recall_range: str
    recall_chart: Markup
    detections: str
    precision: str
    precision_range: str
    precision_chart: Markup


@dataclass(frozen=True)
class DetectorView:
    """Rows of the tables of one detector's panel, each cell written.

    points: which, lowest score, precision, recall, F1. kinds: name, meaning, count, cost.
    categories: name, objects, detections, precision, recall, AP50, AP50:95. confusions: category,
    taken for, count. more_...: how many rows are not shown.
    """

    iou: str
    any_category: bool
    min_score: str  # empty where all count
    ap50: str
    ap: str
    points: list[tuple[str, ...]]
    kinds: list[tuple[str, ...]]
    categories: list[tuple[str, ...]]
    confusions: list[tuple[str, ...]]
    more_categories: int
    more_confusions: int
    curves: list[CurveView]
    places: list[PlacesView]
    sizes: list[SizeRow]


def view_detector(report: DetectorReport | None, text: Words = ENGLISH) -> DetectorView | None:
    """Turn a detector into the rows that its panel shows; None for other systems."""
    if report is None:
        return None
    wrong = report.confusions.filter(
        pl.col("category").is_not_null()
        & pl.col("taken_for").is_not_null()
        & (pl.col("category") != pl.col("taken_for"))
    )
    return DetectorView(
        iou=format_edge(report.iou),
        any_category=report.any_category,
        min_score="" if report.min_score is None else format_edge(report.min_score),
        ap50=format_percent(report.ap50),
        ap=format_percent(report.ap),
        points=[
            (text.say(POINTS[name]), format_number(threshold), *map(format_percent, shares))
            for name, threshold, *shares in report.points.iter_rows()
        ],
        kinds=[
            (text.say(name), text.say(MEANINGS[name]), format_count(count), _write_cost(cost))
            for name, count, cost in report.kinds.iter_rows()
        ],
        categories=[_write_category(row) for row in report.categories.rows()[:SHOWN_CATEGORIES]],
        confusions=[
            (category, taken_for, format_count(n))
            for category, taken_for, n in wrong.rows()[:SHOWN_CONFUSIONS]
        ],
        more_categories=max(0, report.categories.height - SHOWN_CATEGORIES),
        more_confusions=max(0, wrong.height - SHOWN_CONFUSIONS),
        curves=_view_curves(report, text),
        places=_view_places(report, text),
        sizes=[_view_size(row, text) for row in report.sizes.to_dicts()],
    )


def _view_curves(report: DetectorReport, text: Words) -> list[CurveView]:
    marked = [(row["recall"], row["precision"]) for row in report.points.to_dicts()]
    views = []
    for name in report.curves["category"].unique(maintain_order=True).to_list():
        own = report.curves.filter(pl.col("category").eq_missing(pl.lit(name, pl.String)))
        points = own.select("recall", "precision").rows()
        kept = sorted({round(at * (own.height - 1) / (CURVE_ROWS - 1)) for at in range(CURVE_ROWS)})
        label = text.say(
            "Precision over recall, from {first} at a recall of {low} to {last} at {high}",
            first=format_percent(points[0][1]),
            low=format_percent(points[0][0]),
            last=format_percent(points[-1][1]),
            high=format_percent(points[-1][0]),
        )
        views.append(
            CurveView(
                name=name or "",
                chart=draw_precision_recall(points, () if name else marked, label=label),
                rows=[
                    (
                        format_number(row["threshold"]),
                        format_percent(row["precision"]),
                        format_percent(row["recall"]),
                    )
                    for row in own[kept].to_dicts()
                ],
            )
        )
    return views


def _view_places(report: DetectorReport, text: Words) -> list[PlacesView]:
    """Return a grid for each kind of false detections, the most frequent first."""
    views, places = [], report.places
    counted = dict(report.kinds.select("kind", "count").iter_rows())
    for (kind,), own in places.partition_by("kind", as_dict=True, maintain_order=True).items():
        cells = {(row, column): n for _, row, column, n in own.iter_rows()}
        total, most = int(own["n"].sum()), max(cells.values())
        label = text.say(
            "{n} false detections of kind {kind}; {most} of them in the fullest of {cells} fields",
            n=format_count(total),
            kind=text.say(str(kind)),
            most=format_count(most),
            cells=ROWS * COLUMNS,
        )
        chart = draw_grid_counts(cells, rows=ROWS, columns=COLUMNS, label=label)
        said, every = format_count(total), counted.get(kind, total)
        if total < every:  # the others lie in images of unknown size
            said = text.say("{n} of {runs}", n=said, runs=format_count(every))
        views.append((-total, PlacesView(text.say(str(kind)), said, format_count(most), chart)))
    return [view for _, view in sorted(views, key=lambda one: (one[0], one[1].kind))]


def _view_size(row: dict[str, Any], text: Words) -> SizeRow:
    low, high = row["low"], row["high"]
    if math.isinf(high):
        name = text.say("from {low} px on", low=format_edge(low))
    elif low == 0:
        name = text.say("below {high} px", high=format_edge(high))
    else:
        name = text.say("{low} to {high} px", low=format_edge(low), high=format_edge(high))
    return SizeRow(
        name=name,
        objects=format_count(row["objects"]),
        recall=format_percent(row["recall"]),
        recall_range=_write_range(row["recall_low"], row["recall_high"], text),
        recall_chart=_draw_share(row, "recall"),
        detections=format_count(row["detections"]),
        precision=format_percent(row["precision"]),
        precision_range=_write_range(row["precision_low"], row["precision_high"], text),
        precision_chart=_draw_share(row, "precision"),
    )


def _write_range(low: float | None, high: float | None, text: Words) -> str:
    if low is None or high is None:
        return ""
    return text.say("{low} to {high}", low=format_percent(low), high=format_percent(high))


def _draw_share(row: dict[str, Any], name: str) -> Markup:
    return draw_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], Scale(0.0, 1.0))


def _write_cost(cost: float | None) -> str:
    """Write a loss of average precision in points."""
    return format_number(None) if cost is None else f"{100 * cost:.1f}"


def _write_category(row: Sequence[object]) -> tuple[str, ...]:
    category, objects, detections, _found, *shares = row
    counts = (format_count(int(str(count))) for count in (objects, detections))
    known = (None if share is None else float(str(share)) for share in shares)
    return (str(category), *counts, *map(format_percent, known))
