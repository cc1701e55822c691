"""A made-up detector as a whole, for the tests of the report."""

from typing import Any

from pipeline.errors.evaluation.evaluation_tables import (
    CATEGORY_SCORES,
    CONFUSIONS,
    CURVE,
    ERROR_KINDS,
    ERROR_PLACES,
    OPERATING_POINTS,
    SIZE_SCORES,
)
from reports.models import DetectorReport
from tests.reports.report_examples import make_table

POINTS = ((0.9, 1.0, 0.2), (0.31, 0.8, 0.7), (0.05, 0.6, 0.75))  # score, precision, recall


def make_detector(*, category: str = "person", **changes: Any) -> DetectorReport:
    """Return a detector of two categories, unless changed."""
    kinds = ("class", "localization", "both", "duplicate", "background", "missed")
    fields: dict[str, Any] = {
        "iou": 0.5, "any_category": False, "min_score": None, "ap50": 0.512, "ap": 0.308,
        "categories": make_table(
            [
                {"category": category, "objects": 4000, "detections": 5000, "found": 3000,
                 "precision": 0.6, "recall": 0.75, "ap50": 0.7, "ap": 0.41},
                {"category": "dog", "objects": 12, "detections": 0, "found": 0, "recall": 0.0,
                 "ap50": 0.0, "ap": 0.0},
            ],
            CATEGORY_SCORES,
        ),
        "points": make_table(
            [
                {"point": "as audited", "threshold": 0.05, "precision": 0.6, "recall": 0.75,
                 "f1": 0.667},
                {"point": "best F1", "threshold": 0.31, "precision": 0.8, "recall": 0.7,
                 "f1": 0.747},
            ],
            OPERATING_POINTS,
        ),
        "kinds": make_table(
            [{"kind": kind, "count": 100 * n, "cost": 0.0213 * n} for n, kind in enumerate(kinds)],
            ERROR_KINDS,
        ),
        "confusions": make_table(
            [
                {"category": category, "taken_for": category, "n": 3000},
                {"category": category, "taken_for": None, "n": 993},
                {"category": None, "taken_for": "dog", "n": 11},
                {"category": category, "taken_for": "dog", "n": 7},
            ],
            CONFUSIONS,
        ),
        "curves": make_table(
            [
                {"category": name, "threshold": score, "precision": precision, "recall": recall}
                for name in (None, category)
                for score, precision, recall in POINTS
            ],
            CURVE,
        ),
        "places": make_table(
            [
                {"kind": "background", "row": 5, "column": 0, "n": 12},
                {"kind": "background", "row": 5, "column": 1, "n": 3},
                {"kind": "duplicate", "row": 0, "column": 7, "n": 40},
            ],
            ERROR_PLACES,
        ),
        "sizes": make_table(
            [
                {"low": 0.0, "high": 16.0, "objects": 90, "recall": 0.2, "recall_low": 0.13,
                 "recall_high": 0.29, "detections": 0},
                {"low": 192.0, "high": float("inf"), "objects": 900, "recall": 0.9,
                 "detections": 1000, "precision": 0.81, "precision_low": 0.78,
                 "precision_high": 0.84},
            ],
            SIZE_SCORES,
        ),
    }  # fmt: skip
    return DetectorReport(**{**fields, **changes})
