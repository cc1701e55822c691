"""Segmentations of COCO annotations: the box around polygons or a run-length mask."""

import itertools
import math
from typing import Any

_LARGEST_MASK = 1 << 34  # pixels; no image that can be decoded has more


def frame_outline(segmentation: Any) -> list[float] | None:  # noqa: ANN401 - raw JSON
    """Return x, y, width and height in pixels of the box around a segmentation.

    segmentation: polygons as lists x1, y1, x2, y2, ..., whose extreme points count, or a mask
    {"size": [height, width], "counts": runs}, in columns, of numbers or in COCO's compressed text
    (pycocotools, maskApi.c, rleFrString and rleToBbox). None where it is neither, or empty.
    """
    if isinstance(segmentation, dict):
        return _frame_mask(segmentation.get("size"), segmentation.get("counts"))
    if not isinstance(segmentation, list):
        return None
    polygons = segmentation if all(isinstance(part, list) for part in segmentation) else []
    if any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
        return None
    values = list(itertools.chain.from_iterable(polygons))
    if not values or not all(type(v) in (int, float) and math.isfinite(v) for v in values):
        return None
    xs = [x for polygon in polygons for x in polygon[::2]]
    ys = [y for polygon in polygons for y in polygon[1::2]]
    left, top = min(xs), min(ys)
    return [left, top, max(xs) - left, max(ys) - top]


def _frame_mask(size: Any, counts: Any) -> list[float] | None:  # noqa: ANN401 - raw JSON
    if not (isinstance(size, list) and len(size) == 2 and all(type(one) is int for one in size)):
        return None
    height, width = size
    runs = _decode_runs(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        return None
    if min(size) < 1 or height * width > _LARGEST_MASK or sum(runs) > height * width:
        return None
    ends = list(itertools.accumulate(runs))
    # Every second run is inside: the pixels from its start to its end, down the columns.
    inside = [(end - run, end - 1) for run, end in zip(runs, ends, strict=True)][1::2]
    filled = [(first, last) for first, last in inside if first <= last]
    if not filled:
        return None
    left, right = filled[0][0] // height, filled[-1][1] // height
    whole = any(first // height < last // height for first, last in filled)  # to the next column
    top = 0 if whole else min(first % height for first, _ in filled)
    bottom = height - 1 if whole else max(last % height for _, last in filled)
    return [left, top, right - left + 1, bottom - top + 1]


def _decode_runs(text: str) -> list[int] | None:
    """Return the runs of a compressed mask, None where the text is none.

    A character holds 5 bits; from the fourth on a run is written less the one two before it.
    """
    runs: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            return None
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value, shift = 0, 0
    return None if shift else runs
