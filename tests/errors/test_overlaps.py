"""The target object of an unmatched detection, compared with a plain loop."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from pipeline.errors.overlaps import find_targets

SIDE = st.integers(0, 9).map(float)
BOX = st.tuples(SIDE, SIDE, st.integers(1, 9).map(float), st.integers(1, 9).map(float))
NUMBER = st.integers(0, 2)
DETECTIONS = st.lists(st.tuples(NUMBER, NUMBER, BOX), max_size=12)
OBJECTS = st.lists(st.tuples(NUMBER, NUMBER, BOX, st.booleans()), max_size=12)


def find_in_a_loop(detections: list[Any], objects: list[Any], iou: float) -> list[int]:
    """Compare every pair; the oracle of this test."""
    targets = []
    for image, category, box in detections:
        best, chosen = (False, 0.0), -1
        for position, (place, kind, other, found) in enumerate(objects):
            overlap = mask.iou(np.array([box]), np.array([other]), [0])[0, 0]
            fits = place == image and found == (kind == category)
            if fits and overlap >= min(iou, 1 - 1e-10) and (kind == category, overlap) >= best:
                best, chosen = (kind == category, overlap), position
        targets.append(chosen)
    return targets


@settings(max_examples=200)
@given(
    detections=DETECTIONS,
    objects=OBJECTS,
    iou=st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    pairs_per_batch=st.sampled_from([1, 5, 1000]),
)
def test_each_detection_is_about_the_object_of_highest_overlap_that_it_may_be_about(
    detections: list[Any], objects: list[Any], iou: float, pairs_per_batch: int
) -> None:
    named = find_targets(
        image=np.array([row[0] for row in detections], dtype=np.int64),
        category=np.array([row[1] for row in detections], dtype=np.int64),
        boxes=np.array([row[2] for row in detections], dtype=np.float64).reshape(-1, 4),
        object_image=np.array([row[0] for row in objects], dtype=np.int64),
        object_category=np.array([row[1] for row in objects], dtype=np.int64),
        object_boxes=np.array([row[2] for row in objects], dtype=np.float64).reshape(-1, 4),
        object_found=np.array([row[3] for row in objects], dtype=np.bool_),
        iou=iou,
        pairs_per_batch=pairs_per_batch,
    )
    assert named.tolist() == find_in_a_loop(detections, objects, iou)
