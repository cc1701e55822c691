"""Errors of detectors: objects that no detection finds."""

import contextlib
import io
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests.errors.detections import BOX, FAR, detection, misses, score
from tests.errors.frames import by_path, images, true_object, truth_frame, with_objects


def test_an_object_is_missed_unless_a_detection_of_its_category_overlaps_it(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 1, FAR), true_object(3, 2, BOX)])
    samples = with_objects(truth)
    found = [detection(1, BOX), detection(1, FAR, category_id=2), detection(3, BOX)]
    scored = score(tmp_path, found, truth, samples)
    assert misses(scored, samples) == {"1": 0.0, "2": 1.0, "3": 1.0}
    assert scored.errors_without_sample == 0
    assert scored.notes["detections_of_other_categories"] == 1
    assert scored.notes["detections_of_images_left_out"] == 1
    assert (scored.notes["objects"], scored.notes["objects_missed"]) == (3, 2)


def test_an_image_has_the_share_of_its_objects_missed_or_no_error(tmp_path: Path) -> None:
    truth = truth_frame(
        [
            true_object(1, 1, BOX),
            true_object(2, 1, FAR),
            true_object(3, 2, BOX),
            true_object(4, 3, BOX, category="dog"),
            true_object(5, 4, BOX, crowd=True),
            true_object(6, 4, BOX, ignore=True),
        ]
    )
    samples = images([f"{number}.png" for number in range(1, 6)])
    scored = score(tmp_path, [detection(1, BOX), detection(2, BOX)], truth, samples)
    assert by_path(scored, samples) == {"1.png": 0.5, "2.png": 0.0}
    assert scored.samples_without_error == 3
    assert scored.notes["crowds_and_ignored"] == 2


@pytest.mark.parametrize(("iou", "error"), [(0.5, 0.0), (0.51, 1.0)])
def test_the_overlap_asked_for_is_enough(tmp_path: Path, iou: float, error: float) -> None:
    truth = truth_frame([true_object(1, 1, (0, 0, 10, 10))])
    samples = with_objects(truth)
    scored = score(tmp_path, [detection(1, (0, 0, 10, 5))], truth, samples, iou=iou)
    assert misses(scored, samples) == {"1": error}


def test_detections_under_the_score_do_not_count(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 2, BOX)])
    samples = with_objects(truth)
    found = [detection(1, BOX, score=0.3), detection(2, BOX, score=0.29)]
    scored = score(tmp_path, found, truth, samples, min_score=0.3)
    assert misses(scored, samples) == {"1": 0.0, "2": 1.0}
    assert scored.notes["detections_below_min_score"] == 1


def test_one_detection_finds_one_object_and_crowds_take_none_from_it(tmp_path: Path) -> None:
    truth = truth_frame(
        [true_object(1, 1, BOX), true_object(2, 1, BOX), true_object(3, 1, BOX, crowd=True)]
    )
    samples = with_objects(truth)
    one = misses(score(tmp_path, [detection(1, BOX)], truth, samples), samples)
    assert sorted(one.values()) == [0.0, 1.0]
    two = misses(score(tmp_path, [detection(1, BOX)] * 2, truth, samples), samples)
    assert two == {"1": 0.0, "2": 0.0}


def test_of_equal_objects_the_one_with_the_highest_number_is_found(tmp_path: Path) -> None:
    truth = truth_frame([true_object(number, 1, BOX) for number in range(1, 12)])
    samples = with_objects(truth)
    found = misses(score(tmp_path, [detection(1, BOX)], truth, samples), samples)
    assert [name for name, error in found.items() if error == 0] == ["11"]


def test_no_number_of_detections_is_too_many(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    crowd = [detection(1, FAR, score=0.9) for _ in range(1500)]
    scored = score(tmp_path, [*crowd, detection(1, BOX, score=0.1)], truth, samples)
    assert misses(scored, samples) == {"1": 0.0}


def test_no_detection_at_all_misses_everything(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    assert misses(score(tmp_path, [], truth, samples), samples) == {"1": 1.0}


def test_error_id_follows_truth_and_settings(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    moved = truth_frame([true_object(1, 1, (11, 10, 20, 20))])
    samples = with_objects(truth)
    runs = [
        score(tmp_path, [detection(1, BOX)], truth, samples),
        score(tmp_path, [detection(1, BOX)], truth, samples, iou=0.6),
        score(tmp_path, [detection(1, BOX)], truth, samples, min_score=0.1),
        score(tmp_path, [detection(1, BOX)], truth, samples, asked=("person", "dog")),
        score(tmp_path, [detection(1, BOX)], moved, samples),
    ]
    ids = [run.errors["error_id"][0] for run in runs]
    assert len(set(ids)) == 5
    renamed = score(tmp_path, [detection(1, BOX)], truth, samples, name="other")
    assert renamed.errors["error_id"][0] not in ids
    assert score(tmp_path, [detection(1, BOX)], truth, samples).errors["error_id"][0] == ids[0]


SIDE = st.integers(0, 12).map(float)
BOXES = st.tuples(SIDE, SIDE, st.integers(1, 9).map(float), st.integers(1, 9).map(float))


@st.composite
def scenes(draw: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw true boxes and detections that often overlap, with equal scores among them."""
    truth = [
        true_object(
            number + 1,
            draw(st.integers(1, 3)),
            draw(BOXES),
            category=draw(st.sampled_from(["person", "dog"])),
            crowd=draw(st.booleans()) and draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 12)))
    ]
    boxes = st.one_of(
        BOXES, st.sampled_from([tuple(row[side] for side in "xywh") for row in truth])
    )
    found = [
        detection(
            draw(st.integers(1, 3)),
            draw(boxes),
            category_id=draw(st.integers(1, 2)),
            score=draw(st.sampled_from([0.1, 0.5, 0.9])),
        )
        for _ in range(draw(st.integers(0, 12)))
    ]
    return truth, found


def misses_by_pycocotools(
    truth: Sequence[dict[str, Any]], found: list[dict[str, Any]], iou: float
) -> dict[str, float]:
    """Match with the reference implementation; the oracle of this test."""
    document = {
        "images": [{"id": number} for number in (1, 2, 3)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {
                "id": int(row["annotation_id"]),
                "image_id": int(row["image_id"]),
                "category_id": 1 if row["category"] == "person" else 2,
                "bbox": [row[side] for side in "xywh"],
                "area": row["w"] * row["h"],
                "iscrowd": int(row["crowd"]),
            }
            for row in truth
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = document
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(found), "bbox")
        evaluation.params.iouThrs = [iou]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [10_000]
        evaluation.evaluate()
    crowds = {row["annotation_id"] for row in truth if row["crowd"]}
    missed: dict[str, float] = {}
    for image in evaluation.evalImgs:
        if image is not None:
            for number, match in zip(image["gtIds"], image["gtMatches"][0], strict=True):
                missed[str(number)] = float(match == 0)
    return {name: error for name, error in missed.items() if name not in crowds}


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scene=scenes(), iou=st.sampled_from([0.1, 0.3, 0.5, 0.75, 1.0]))
def test_misses_equal_those_of_pycocotools_object_by_object(
    tmp_path: Path, scene: tuple[list[dict[str, Any]], list[dict[str, Any]]], iou: float
) -> None:
    truth, found = scene
    frame = truth_frame(truth)
    samples = with_objects(frame)
    asked = ("person", "dog")
    if not found or samples.is_empty():
        return
    expected = misses_by_pycocotools(truth, found, iou)
    scored = score(tmp_path, found, frame, samples, asked=asked, iou=iou)
    assert misses(scored, samples) == expected


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scene=scenes(), seed=st.integers(0, 10**6))
def test_the_order_of_objects_and_of_different_scores_does_not_matter(
    tmp_path: Path, scene: tuple[list[dict[str, Any]], list[dict[str, Any]]], seed: int
) -> None:
    truth, found = scene
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    found = [{**row, "score": 0.01 * number} for number, row in enumerate(found)]
    frame = truth_frame(truth)
    samples = with_objects(frame)
    if samples.is_empty():
        return
    one = score(tmp_path, found, frame, samples)
    mixed = draw.sample(found, len(found))
    other = score(tmp_path, mixed, frame.reverse(), samples.reverse())
    assert one.errors.drop("error_id").equals(other.errors.drop("error_id"))
