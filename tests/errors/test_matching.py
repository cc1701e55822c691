"""The matching from both sides, against pycocotools."""

import contextlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.errors.matching import Matches, match_boxes
from pipeline.errors.overlaps import measure_overlap

Floats = npt.NDArray[np.float64]
IMAGES, CATEGORIES = 3, 2
SIDE = st.integers(0, 12).map(float)
LENGTH = st.integers(1, 9).map(float)
BOX = st.tuples(SIDE, SIDE, LENGTH, LENGTH)
FINE = st.floats(0, 20).map(lambda value: round(value, 2))
FINE_BOX = st.tuples(FINE, FINE, st.floats(0.1, 20), st.floats(0.1, 20))
SCORE = st.sampled_from([-1.5, 0.1, 0.5, 0.5, 0.9, 7.0])
Row = tuple[int, int, tuple[float, ...], Any]  # image, category, box, crowd or score


@st.composite
def scenes(draw: Any) -> tuple[list[Row], list[Row]]:
    """Draw true boxes and detections of some images and categories; many are equal."""
    box = draw(st.sampled_from([BOX, FINE_BOX]))
    image, category = st.integers(1, IMAGES), st.integers(1, CATEGORIES)
    crowd = st.sampled_from([False, False, False, True])
    truth = draw(st.lists(st.tuples(image, category, box, crowd), min_size=1, max_size=14))
    boxes = st.one_of(box, st.sampled_from([row[2] for row in truth]))
    found = draw(st.lists(st.tuples(image, category, boxes, SCORE), min_size=1, max_size=14))
    return truth, found


def match(truth: list[Row], found: list[Row], iou: float, **more: int) -> Matches:
    return match_boxes(
        truth_group=np.array([row[0] * 10 + row[1] for row in truth]),
        truth_boxes=np.array([row[2] for row in truth]),
        truth_ignored=np.array([row[3] for row in truth]),
        detection_group=np.array([row[0] * 10 + row[1] for row in found]),
        detection_boxes=np.array([row[2] for row in found]),
        scores=np.array([row[3] for row in found]),
        iou=iou,
        **more,
    )


def match_by_pycocotools(truth: list[Row], found: list[Row], iou: float) -> dict[str, list[Any]]:
    """Match with the reference implementation: positions, -1 for none, and dtIgnore."""
    document = {
        "images": [{"id": number + 1} for number in range(IMAGES)],
        "categories": [{"id": number + 1} for number in range(CATEGORIES)],
        "annotations": [
            {"id": number, "image_id": image, "category_id": category, "bbox": list(box),
             "area": box[2] * box[3], "iscrowd": int(crowd)}
            for number, (image, category, box, crowd) in enumerate(truth, 1)
        ],
    }  # fmt: skip
    results = [
        {"image_id": image, "category_id": category, "bbox": list(box), "score": score}
        for image, category, box, score in found
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = document
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(results), "bbox")
        evaluation.params.iouThrs = [iou]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [10_000]
        evaluation.evaluate()
    shown: dict[str, list[Any]] = {
        "detection_of": [-1] * len(truth),
        "truth_of": [-1] * len(found),
        "ignored": [False] * len(found),
    }
    for image in (one for one in evaluation.evalImgs if one is not None):
        for number, by in zip(image["gtIds"], image["gtMatches"][0], strict=True):
            shown["detection_of"][number - 1] = int(by) - 1
        columns = (image["dtIds"], image["dtMatches"][0], image["dtIgnore"][0])
        for number, by, ignored in zip(*columns, strict=True):
            shown["truth_of"][number - 1] = int(by) - 1
            shown["ignored"][number - 1] = bool(ignored)
    return shown


@settings(max_examples=400)
@given(scene=scenes(), iou=st.sampled_from([0.1, 0.3, 0.5, 0.75, 1.0]))
def test_both_sides_of_the_matching_equal_pycocotools(
    scene: tuple[list[Row], list[Row]], iou: float
) -> None:
    truth, found = scene
    matches = match(truth, found, iou)
    expected = match_by_pycocotools(truth, found, iou)
    assert matches.detection_of.tolist() == expected["detection_of"]
    assert matches.truth_of.tolist() == expected["truth_of"]
    crowds = np.array([row[3] for row in truth])
    ignored = (matches.truth_of >= 0) & crowds[matches.truth_of]
    assert ignored.tolist() == expected["ignored"]


def test_batches_do_not_change_the_matching() -> None:
    draw = np.random.default_rng(1)
    boxes = draw.uniform(0, 20, (300, 2)).round(1)
    rows: list[Row] = [
        (int(image), int(category), (x, y, 8.0, 8.0), bool(crowd))
        for image, category, (x, y), crowd in zip(
            draw.integers(1, 40, 300),
            draw.integers(1, 3, 300),
            boxes.tolist(),
            draw.random(300) < 0.2,
            strict=True,
        )
    ]
    found: list[Row] = [(*row[:2], row[2], float(draw.random())) for row in reversed(rows)]
    whole = match(rows, found, 0.5)
    parts = match(rows, found, 0.5, groups_per_batch=3)
    assert (whole.detection_of >= 0).mean() > 0.9
    assert parts.detection_of.tolist() == whole.detection_of.tolist()
    assert parts.truth_of.tolist() == whole.truth_of.tolist()


def test_nothing_matches_where_there_is_nothing() -> None:
    row: Row = (1, 1, (0, 0, 5, 5), 0.5)
    empty = match_boxes(
        truth_group=np.zeros(0, dtype=np.int64),
        truth_boxes=np.zeros((0, 4)),
        truth_ignored=np.zeros(0, dtype=np.bool_),
        detection_group=np.array([1]),
        detection_boxes=np.array([row[2]], dtype=np.float64),
        scores=np.array([0.5]),
        iou=0.5,
    )
    assert (empty.detection_of.tolist(), empty.truth_of.tolist()) == ([], [-1])


@settings(max_examples=200)
@given(pairs=st.lists(st.tuples(FINE_BOX, FINE_BOX, st.booleans()), min_size=1, max_size=20))
def test_overlaps_are_those_of_pycocotools(pairs: list[tuple[Any, Any, bool]]) -> None:
    boxes = np.array([pair[0] for pair in pairs])
    others = np.array([pair[1] for pair in pairs])
    crowds = np.array([pair[2] for pair in pairs])
    expected = [
        mask.iou(boxes[[row]], others[[row]], [int(crowd)])[0, 0]
        for row, crowd in enumerate(crowds)
    ]
    assert measure_overlap(boxes, others, crowds=crowds).tolist() == expected


def test_boxes_without_area_overlap_nothing() -> None:
    flat = np.array([[5.0, 5.0, 0.0, 0.0], [5.0, 5.0, 0.0, 4.0]])
    crowds = np.array([False, True])
    assert measure_overlap(flat, flat, crowds=crowds).tolist() == [0.0, 0.0]
