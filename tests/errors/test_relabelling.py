"""Annotations that are likely wrong."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.errors.evaluation.evaluation_tables import RELABEL
from pipeline.errors.evaluation.relabelling import list_relabelling, measure_likeness
from pipeline.errors.scored import Scored
from tests.errors.detections import BOX, FAR, detection, score
from tests.errors.frames import true_object, truth_frame, with_objects

NEAR = (15, 10, 20, 20)  # overlaps BOX by 0.6
TRUTH = [
    true_object(1, 1, BOX),
    true_object(2, 1, FAR),
    true_object(3, 2, BOX, category="dog"),
    true_object(4, 3, FAR),
    true_object(5, 3, (100, 100, 90, 90)),
    true_object(6, 3, (300, 300, 20, 20), crowd=True),
]
FOUND = [
    detection(1, BOX, score=0.8),
    detection(1, FAR, score=0.4),
    detection(3, BOX, score=0.7),  # where no box is
    detection(3, (10, 50, 20, 20), score=0.5),  # less sure than half of those that found one
    detection(2, BOX, score=0.9),  # a dog, it says a person
    detection(3, (300, 300, 20, 20), score=0.9),  # in a crowd
    detection(7, BOX, score=0.95),  # in an image without an object
]


def take(scored: Scored) -> tuple[pl.DataFrame, pl.DataFrame]:
    assert scored.evaluation is not None
    return scored.evaluation.matches, scored.evaluation.truth


def test_confident_false_positives_wrong_classes_and_what_nothing_finds_are_listed(
    tmp_path: Path,
) -> None:
    truth = truth_frame(TRUTH)
    samples = with_objects(truth)
    scored = score(tmp_path, FOUND, truth, samples, asked=("person", "dog"))
    listed = list_relabelling({"one": take(scored)})
    assert listed.schema == pl.Schema(RELABEL)
    assert listed.select("system", "reason", "path", "score", "annotation_id").rows() == [
        ("one", "unlabelled object", "7.png", 0.95, None),
        ("one", "unlabelled object", "3.png", 0.7, None),
        ("one", "other category", "2.png", 0.9, "3"),
        (None, "not found", "3.png", None, "5"),  # the largest first
        (None, "not found", "3.png", None, "4"),
    ]


def test_what_another_system_finds_at_whatever_score_is_no_suspicious_annotation(
    tmp_path: Path,
) -> None:
    truth = truth_frame(TRUTH)
    samples = with_objects(truth)
    first = score(tmp_path, FOUND, truth, samples, asked=("person", "dog"))
    more = [detection(3, (100, 100, 90, 90), score=0.01, category_id=2)]
    second = score(tmp_path, more, truth, samples, asked=("person", "dog"))
    listed = list_relabelling({"one": take(first), "two": take(second)})
    missing = listed.filter(pl.col("reason") == "not found")
    assert missing["annotation_id"].to_list() == ["4"]


def test_a_box_that_touches_an_annotated_one_is_not_unlabelled(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 2, BOX)])
    samples = with_objects(truth)
    found = [detection(1, BOX, score=0.5), detection(2, (10, 10, 40, 20), score=0.9)]
    scored = score(tmp_path, found, truth, samples, iou=0.6)
    assert list_relabelling({"one": take(scored)}).is_empty()


def test_likeness_is_the_cosine_to_what_found_the_category(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 2, BOX)])
    found = [
        detection(1, BOX, score=0.9),
        detection(2, BOX, score=0.8),
        detection(3, BOX, score=0.7),
        detection(4, BOX, score=0.6, category_id=2),
        detection(5, BOX, score=0.5),
    ]
    scored = score(tmp_path, found, truth, with_objects(truth), asked=("person", "dog"))
    matches, _ = take(scored)
    vectors = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [np.nan, np.nan]], dtype=np.float64)
    likeness = measure_likeness(matches, vectors).to_list()
    assert likeness[:3] == [pytest.approx(0.5**0.5)] * 3
    assert likeness[3:] == [None, None]  # no dog is found; no vector
