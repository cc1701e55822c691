"""Errors of the audit's own labels."""

from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from pipeline.config.audit import System
from pipeline.errors.label_errors import score_labels
from pipeline.errors.score import score_system
from pipeline.tables import SAMPLES, empty

SYSTEM = {"name": "hat labels", "format": "labels", "attribute": "hat", "error": "wrong-label"}
JUDGED = pl.DataFrame(
    {
        "sample_id": ["c", "a", "b", "d"],
        "given": ["yes", "no", "unknown", "yes"],
        "true": ["yes", "yes", "yes", "no"],
        "score": [0.9, 0.6, None, 0.8],
        "inclusion": [1.0] * 4,
        "draw": ["truth"] * 4,
    }
)


def score(system: System, judged: pl.DataFrame = JUDGED) -> pl.DataFrame:
    samples = pl.DataFrame({"sample_id": ["a", "b", "c", "d", "e"]}).select(
        pl.col(name) if name == "sample_id" else pl.lit(None, dtype).alias(name)
        for name, dtype in SAMPLES.items()
    )
    nothing = pl.DataFrame(schema={"category": pl.String, "asked": pl.Boolean})
    scored = score_system(
        system,
        samples=samples,
        objects=empty(SAMPLES),
        source_images=empty(SAMPLES),
        categories=nothing,
        judged=judged,
    )
    assert scored.samples_without_error == 2  # one unknown, one that nobody judged
    return scored.errors


def test_a_wrong_label_is_an_error_and_unknown_is_none() -> None:
    made = score_labels(JUDGED)
    assert made.losses.rows() == [("a", 1.0), ("c", 0.0), ("d", 1.0)]
    assert made.notes == {"labels_unknown": 1}
    assert made.matches is not None
    assert made.matches.rows() == [
        ("a", "yes", "no", 0.6), ("c", "yes", "yes", 0.9), ("d", "no", "yes", 0.8),
    ]  # fmt: skip


def test_errors_are_known_by_labels_and_truth() -> None:
    system = System.model_validate(SYSTEM)
    errors = score(system)
    assert errors.select("sample_id", "metric", "error").rows() == [
        ("a", "wrong-label", 1.0), ("c", "wrong-label", 0.0), ("d", "wrong-label", 1.0),
    ]  # fmt: skip
    other = JUDGED.with_columns(true=pl.lit("yes"))
    assert score(system, other)["error_id"][0] != errors["error_id"][0]
    assert score(system)["error_id"][0] == errors["error_id"][0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"attribute": None}, "attribute: name the one whose labels are judged"),
        ({"predictions": (Path("x.csv"),)}, "predictions: labels need none"),
        ({"error": "miss"}, "labels knows wrong-label"),
        ({"format": "table", "predictions": (Path("x.csv"),)}, 'only used by format = "labels"'),
        ({"format": "table", "attribute": None}, "key 'predictions' is missing"),
        ({"target": "x"}, 'target: only used by format = "classification"'),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        System.model_validate({**SYSTEM, **changes})
