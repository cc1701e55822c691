"""A detector as a whole, worded for the template."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from reports.models import DetectorReport
from reports.parts.numbers import format_count, format_edge, format_number, format_percent

SHOWN_CATEGORIES = 20
SHOWN_CONFUSIONS = 20
_MEANINGS = {  # of the kinds of errors, in the words of TIDE
    "class": "on an object of another category",
    "localization": "on an object of its category, but not well enough",
    "both": "near an object of another category, and not well enough",
    "duplicate": "on an object that a better one has found",
    "background": "where no object is",
    "missed": "objects that no detection is about",
}
_POINTS = {
    "as audited": "As audited: all detections that count",
    "best F1": "Where precision and recall balance best (F1)",
}


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


def view_detector(report: DetectorReport | None) -> DetectorView | None:
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
            (_POINTS[name], format_number(threshold), *map(format_percent, shares))
            for name, threshold, *shares in report.points.iter_rows()
        ],
        kinds=[
            (name, _MEANINGS[name], format_count(count), _write_cost(cost))
            for name, count, cost in report.kinds.iter_rows()
        ],
        categories=[_write_category(row) for row in report.categories.rows()[:SHOWN_CATEGORIES]],
        confusions=[
            (category, taken_for, format_count(n))
            for category, taken_for, n in wrong.rows()[:SHOWN_CONFUSIONS]
        ],
        more_categories=max(0, report.categories.height - SHOWN_CATEGORIES),
        more_confusions=max(0, wrong.height - SHOWN_CONFUSIONS),
    )


def _write_cost(cost: float | None) -> str:
    """Write a loss of average precision in points."""
    return format_number(None) if cost is None else f"{100 * cost:.1f}"


def _write_category(row: Sequence[object]) -> tuple[str, ...]:
    category, objects, detections, _found, *shares = row
    counts = (format_count(int(str(count))) for count in (objects, detections))
    known = (None if share is None else float(str(share)) for share in shares)
    return (str(category), *counts, *map(format_percent, known))
