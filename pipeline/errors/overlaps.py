"""Detections that matched no object: the object that each has as its target, if any."""

from collections.abc import Iterator

import numpy as np

from pipeline.arrays import Floats, Ints, Mask

PAIRS_PER_BATCH = 2_000_000  # of a detection and a true box in one image; bounds the memory
_ALMOST_ONE = 1 - 1e-10  # an overlap that is 1 but for rounding reaches 1, as in pycocotools


def measure_overlap(boxes: Floats, others: Floats, *, crowds: Mask) -> Floats:
    """Return (n,) intersection over union of boxes (n, 4) and others (n, 4), pair by pair.

    Boxes are x, y, width, height. crowds: (n,) where the other one is a crowd or ignored, the
    intersection is over the area of the box itself, as COCO has it. Boxes without area overlap
    nothing, nor do boxes whose area overflows a float. The operations are those of
    pycocotools, so that the numbers are the same.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _measure_overlap(boxes, others, crowds)


def _measure_overlap(boxes: Floats, others: Floats, crowds: Mask) -> Floats:
    width = np.minimum(boxes[:, 0] + boxes[:, 2], others[:, 0] + others[:, 2])
    width -= np.maximum(boxes[:, 0], others[:, 0])
    height = np.minimum(boxes[:, 1] + boxes[:, 3], others[:, 1] + others[:, 3])
    height -= np.maximum(boxes[:, 1], others[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = boxes[:, 2] * boxes[:, 3]
    union = np.where(crowds, area, area + others[:, 2] * others[:, 3] - shared)
    overlap: Floats = np.divide(shared, union, out=np.zeros(len(boxes)), where=union > 0)
    overlap[np.isnan(overlap)] = 0
    return overlap


def find_targets(
    *,
    image: Ints,
    category: Ints,
    boxes: Floats,
    object_image: Ints,
    object_category: Ints,
    object_boxes: Floats,
    object_found: Mask,
    iou: float,
    pairs_per_batch: int = PAIRS_PER_BATCH,
) -> Ints:
    """Return for each unmatched detection the position of its target object, or -1.

    image, category: (m,) and boxes (m, 4) of the detections; object_...: (n,) and (n, 4) of the
    counted objects. The target is an object of the detection's own category that another detection
    matches (it is a duplicate), or else an object of another category that no detection matches
    (its class is wrong), if the detection reaches `iou` with it: the one of highest overlap, of
    equal ones the last.
    """
    targets = np.full(len(image), -1, dtype=np.int64)  # (m,)
    threshold = min(iou, _ALMOST_ONE)
    for detection, candidate in pair_up(image, object_image, pairs_per_batch):
        same = category[detection] == object_category[candidate]
        possible = same == object_found[candidate]
        detection, candidate, same = detection[possible], candidate[possible], same[possible]
        crowds = np.zeros(len(candidate), dtype=np.bool_)
        overlap = measure_overlap(boxes[detection], object_boxes[candidate], crowds=crowds)
        reached = overlap >= threshold
        detection, candidate = detection[reached], candidate[reached]
        order = np.lexsort((candidate, overlap[reached], same[reached], detection))
        targets[detection[order]] = candidate[order]  # the last candidate of a detection remains
    return targets


def pair_up(image: Ints, object_image: Ints, limit: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield all pairs (detection, object) of one image, all pairs of a detection in one batch.

    image: (m,) of the detections, object_image: (n,). limit: of the pairs in a batch, more only
    where one detection has more.
    """
    order = np.argsort(object_image, kind="stable")
    first = np.searchsorted(object_image, image, side="left", sorter=order)  # (m,)
    counts = np.searchsorted(object_image, image, side="right", sorter=order) - first  # (m,)
    ends = np.cumsum(counts)
    start = 0
    while start < len(image):
        done = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, done + limit, side="right"))
        stop = max(stop, start + 1)  # one detection in an image of very many objects
        number = counts[start:stop]
        detection = np.repeat(np.arange(start, stop), number)  # (pairs,)
        within = np.arange(len(detection)) - np.repeat(np.cumsum(number) - number, number)
        yield detection, order[np.repeat(first[start:stop], number) + within]
        start = stop
