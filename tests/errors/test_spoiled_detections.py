"""Perfect detections spoiled as real files are: refused, or scored with a warning."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.errors.scored import Scored
from pipeline.exceptions import PredictionsError
from tests.errors.detections import detection, score
from tests.errors.frames import true_object, truth_frame, with_objects

WIDTH, HEIGHT = 640, 480
Result = dict[str, Any]


def draw_truth() -> pl.DataFrame:
    """Draw 5 objects of 20 to 120 pixels in each of 9 images."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(45):
        w, h = rng.integers(20, 120, 2)
        x, y = rng.integers(0, WIDTH - w), rng.integers(0, HEIGHT - h)
        rows.append(true_object(number + 1, number % 9 + 1, (x, y, w, h)))
    return truth_frame(rows)


TRUTH = draw_truth()
SAMPLES = with_objects(TRUTH).with_columns(
    width=pl.lit(WIDTH, pl.Int64), height=pl.lit(HEIGHT, pl.Int64)
)


def perfect() -> list[Result]:
    boxes = TRUTH.select("image_id", "x", "y", "w", "h").iter_rows()
    return [detection(int(image), box) for image, *box in boxes]


def spoil(change: Callable[[int, Result], Result]) -> list[Result]:
    return [{**one, **change(number, one)} for number, one in enumerate(perfect())]


def score_spoiled(folder: Path, detections: list[Result], **settings: Any) -> Scored:
    return score(folder, detections, TRUTH, SAMPLES, **settings)


def scale(across: float, down: float) -> Callable[[int, Result], Result]:
    def change(_: int, one: Result) -> Result:
        x, y, w, h = one["bbox"]
        return {"bbox": [x * across, y * down, w * across, h * down]}

    return change


def test_perfect_detections_are_not_questionable(tmp_path: Path) -> None:
    scored = score_spoiled(tmp_path, perfect())
    assert scored.warnings == ()
    assert scored.errors["error"].sum() == 0
    assert scored.notes["detections_found"] == 45


def test_ids_that_are_all_unknown_are_refused_with_both_spellings(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError) as caught:
        score_spoiled(tmp_path, spoil(lambda n, _: {"category_id": 90 + n % 2}))
    assert "all of its 45 detections are of categories that the dataset does not have" in str(
        caught.value
    )
    assert "'90' (23), '91' (22); the dataset has '1' (person), '2' (dog)" in str(caught.value)


def test_ids_that_are_nearly_all_unknown_are_refused(tmp_path: Path) -> None:
    detections = spoil(lambda n, _: {"category_id": 1 if n % 10 == 0 else 77})
    with pytest.raises(PredictionsError, match=r"40 of its 45 detections .* '77' \(40\)"):
        score_spoiled(tmp_path, detections)


def test_some_unknown_ids_are_scored_with_a_warning(tmp_path: Path) -> None:
    detections = spoil(lambda n, _: {"category_id": 77 if n % 3 == 0 else 1})
    scored = score_spoiled(tmp_path, detections)
    (warning,) = scored.warnings
    assert "15 of its 45 detections are of categories that the dataset does not have" in warning
    assert scored.notes["detections_of_unknown_category"] == 15


def test_unknown_ids_are_neither_refused_nor_questionable_where_the_audit_ignores_them(
    tmp_path: Path,
) -> None:
    detections = perfect() + [detection(1, (0, 0, 9, 9), category_id=77)] * 300
    scored = score_spoiled(tmp_path, detections, unknown_categories="ignore")
    assert scored.warnings == ()
    assert scored.notes["detections_of_unknown_category"] == 300


def test_boxes_as_shares_of_the_image_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="shares of the image") as caught:
        score_spoiled(tmp_path, spoil(scale(1 / WIDTH, 1 / HEIGHT)))
    assert "no detection matches any of the 45 objects" in str(caught.value)


@pytest.mark.parametrize("factor", [0.5, 2.0, 0.8, 1.6])
def test_boxes_at_another_scale_are_refused_or_questionable(tmp_path: Path, factor: float) -> None:
    detections = [*spoil(scale(factor, factor)), perfect()[0] | {"score": 0.1}]
    scored = score_spoiled(tmp_path, detections)
    assert scored.errors.filter(pl.col("error") == 1).height > 22
    assert any("another scale" in warning for warning in scored.warnings)


@pytest.mark.parametrize("side", [416, 1000])
def test_boxes_in_a_squared_image_are_noticed(tmp_path: Path, side: int) -> None:
    detections = [*spoil(scale(side / WIDTH, side / HEIGHT)), perfect()[0] | {"score": 0.1}]
    (warning,) = score_spoiled(tmp_path, detections).warnings
    assert f"of an image of {side} x {side} pixels" in warning


def test_corners_in_place_of_sides_are_noticed(tmp_path: Path) -> None:
    def to_corners(_: int, one: Result) -> Result:
        x, y, w, h = one["bbox"]
        return {"bbox": [x, y, x + w, y + h]}

    with pytest.raises(PredictionsError, match="corners"):
        score_spoiled(tmp_path, [*spoil(to_corners)], iou=0.8)


def test_detections_that_lie_elsewhere_are_refused(tmp_path: Path) -> None:
    detections = spoil(lambda _, one: {"bbox": [5000, 5000, *one["bbox"][2:]]})
    with pytest.raises(PredictionsError, match="no detection matches any of the 45 objects"):
        score_spoiled(tmp_path, detections)


def test_a_weak_detector_that_finds_none_of_few_objects_gives_a_warning(tmp_path: Path) -> None:
    def move(_: int, one: Result) -> Result:
        x, y, w, h = one["bbox"]
        return {"bbox": [x + w * 0.6, y + h * 0.6, w, h]}  # an overlap of 0.09

    scored = score_spoiled(tmp_path, spoil(move))
    (warning,) = scored.warnings
    assert "no detection matches any of the 45 objects: the highest overlap is 0." in warning


def test_a_weak_detector_is_not_questionable(tmp_path: Path) -> None:
    """It finds a third, and its other boxes lie anywhere."""
    rng = np.random.default_rng(5)
    detections = perfect()[:15]
    for _ in range(200):
        box = [*rng.integers(0, 400, 2).tolist(), *rng.integers(20, 120, 2).tolist()]
        detections.append(detection(int(rng.integers(1, 10)), box, score=0.3))
    assert score_spoiled(tmp_path, detections).warnings == ()


def test_no_detection_that_counts_is_questionable(tmp_path: Path) -> None:
    assert "holds no detection" in score_spoiled(tmp_path, []).warnings[0]
    low = spoil(lambda *_: {"score": 0.1})
    (warning,) = score_spoiled(tmp_path, low, min_score=0.5).warnings
    assert "none of its 45 detections counts (45 below min_score" in warning


def test_detections_that_are_mostly_of_another_category_are_questionable(tmp_path: Path) -> None:
    swapped = spoil(lambda n, _: {"category_id": 1 if n % 4 == 0 else 2})
    scored = score(tmp_path, swapped, TRUTH, SAMPLES, asked=("person", "dog"))
    (warning,) = scored.warnings
    assert "of another category" in warning


def test_detections_of_other_images_are_questionable_where_images_have_none(tmp_path: Path) -> None:
    moved = spoil(lambda _, one: {"image_id": one["image_id"] + (9 if one["image_id"] > 3 else 0)})
    scored = score_spoiled(tmp_path, moved)
    (warning,) = scored.warnings
    assert "30 of its 45 detections are of images that the dataset does not have" in warning
    assert "6 of 9 images with objects have no detection" in warning
    more = perfect() + [detection(50 + n, (0, 0, 9, 9)) for n in range(200)]  # another split's
    assert score_spoiled(tmp_path, more).warnings == ()
