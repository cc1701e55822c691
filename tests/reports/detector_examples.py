"""A made-up detector as a whole, for the tests of the report."""

from typing import Any

from pipeline.errors.evaluation.evaluation_tables import (
    CATEGORY_SCORES,
    CONFUSIONS,
    ERROR_KINDS,
    OPERATING_POINTS,
)
from reports.models import DetectorReport
from tests.reports.report_examples import make_table


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
    }  # fmt: skip
    return DetectorReport(**{**fields, **changes})
