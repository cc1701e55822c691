"""False detections: their kinds, where they lie, errors by size, and precision over recall."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors.evaluation.false_detections import (
    COLUMNS,
    ROWS,
    count_places,
    pick_false,
)
from pipeline.errors.evaluation.precision_recall import trace_curve
from tests.errors.detections import BOX, FAR, detection
from tests.errors.frames import true_object
from tests.errors.test_detector_summary import draw_dataset, summarise, take_truth

SIZES = pl.DataFrame(
    {"path": [f"{n}.png" for n in range(1, 10)], "width": [400] * 9, "height": [300] * 9}
)


@pytest.mark.parametrize("seed", [0, 4])
def test_as_many_are_listed_of_each_kind_as_are_counted(tmp_path: Path, seed: int) -> None:
    content, found = draw_dataset(seed)
    for any_category in (False, True):
        made = summarise(
            tmp_path, take_truth(content, crowds=True), found, any_category=any_category
        )
        counted = {kind: n for kind, n, _ in made.kinds.iter_rows() if n and kind != "missed"}
        listed = made.false.group_by("kind").len()
        assert dict(listed.iter_rows()) == counted
        assert set(made.false["category"]) <= {"person", "dog"}
        assert made.false["score"].is_sorted(descending=True)
        places = count_places(made.false, SIZES)
        assert places.group_by("kind").agg(pl.col("n").sum()).sort("kind").rows() == sorted(
            counted.items()
        )


def test_a_false_detection_lies_in_the_field_of_its_middle(tmp_path: Path) -> None:
    found = [
        detection(1, (0, 0, 20, 20)),  # middle 10, 10 of 400 x 300: the first field
        detection(2, (389, 280, 10, 10)),  # the last
        detection(3, (395, 295, 40, 40)),  # beyond the image: also the last
        detection(4, (190, 140, 20, 20)),  # middle 200, 150
    ]
    made = summarise(tmp_path, [true_object(1, 9, BOX)], found)
    places = count_places(made.false, SIZES)
    assert places.select("row", "column", "n").rows() == [
        (0, 0, 1), (ROWS // 2, COLUMNS // 2, 1), (ROWS - 1, COLUMNS - 1, 2),
    ]  # fmt: skip
    assert set(places["kind"]) == {"background"}
    assert count_places(made.false, SIZES.head(1)).height == 1  # of unknown images none


def test_the_best_of_each_kind_are_picked_one_an_image(tmp_path: Path) -> None:
    found = [
        detection(1, FAR, score=0.9), detection(1, (300, 0, 20, 20), score=0.8),
        detection(2, FAR, score=0.7), detection(3, FAR, score=0.6),
    ]  # fmt: skip
    made = summarise(tmp_path, [true_object(1, 9, BOX)], found)
    picked = pick_false(made.false, count=2)
    assert picked.select("path", "score").rows() == [("1.png", 0.9), ("2.png", 0.7)]


def test_small_objects_that_are_missed_show_in_their_size(tmp_path: Path) -> None:
    """Twenty small people are missed, twenty large ones found; a small box lies on nothing."""
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image in range(1, 6):
        for at in range(4):
            small, large = [40 * at, 0, 10, 10], [70 * at, 100, 64, 128]
            truth += [true_object(100 * image + at, image, small),
                      true_object(100 * image + at + 50, image, large)]  # fmt: skip
            found.append(detection(image, large))
    found.append(detection(9, (0, 0, 12, 12)))
    sizes = summarise(tmp_path, truth, found).sizes
    assert sizes.select("low", "high", "objects", "recall", "detections", "precision").rows() == [
        (0.0, 16.0, 20, 0.0, 1, 0.0),
        (64.0, 96.0, 20, 1.0, 20, 1.0),
    ]
    row = sizes.row(0, named=True)
    assert row["recall_low"] == 0
    assert 0.2 < row["recall_high"] < 0.7  # of five images, not of twenty people
    assert summarise(tmp_path, [], []).sizes.is_empty()


def test_crowds_and_what_they_take_have_no_size(tmp_path: Path) -> None:
    crowd = true_object(1, 1, (0, 0, 100, 100), crowd=True)
    sizes = summarise(tmp_path, [crowd], [detection(1, (0, 0, 90, 100))]).sizes
    assert sizes.is_empty()


def test_curves_end_at_what_was_audited_and_are_of_each_category(tmp_path: Path) -> None:
    content, found = draw_dataset(0)
    made = summarise(tmp_path, take_truth(content, crowds=True), found)
    assert made.curves["category"].unique(maintain_order=True).to_list() == [None, "person", "dog"]
    whole = made.curves.filter(pl.col("category").is_null())
    audited = made.points.filter(pl.col("point") == "as audited")
    columns = ("threshold", "precision", "recall")
    assert whole.select(columns).row(-1) == audited.select(columns).row(0)
    assert whole["recall"].is_sorted()
    assert whole.height <= 102


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9])), max_size=60),
    st.integers(0, 80),
)
def test_points_of_a_curve_are_those_of_counting(
    found: list[tuple[bool, float]], missed: int
) -> None:
    ordered = sorted(found, key=lambda one: -one[1])
    correct = np.array([right for right, _ in ordered], dtype=np.bool_)
    scores = np.array([score for _, score in ordered], dtype=np.float64)
    objects = int(correct.sum()) + missed
    points = trace_curve(correct, scores, objects)
    assert bool(points) == bool(len(ordered) and objects)
    for threshold, precision, recall in points:
        kept = [right for right, score in ordered if score >= threshold]
        assert math.isclose(precision, sum(kept) / len(kept))
        assert math.isclose(recall, sum(kept) / objects)
