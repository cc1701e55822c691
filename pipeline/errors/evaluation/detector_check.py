"""What a detector is worth before it is trusted: AP, recall, and false positives where nothing is.

False positives are counted apart in images with and without an object of the category: a detector
by words that finds people in pictures of people may find them in empty streets too.
"""

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.errors.evaluation.box_arrays import BoxArrays, take_arrays
from pipeline.errors.evaluation.precision_recall import THRESHOLDS, Judged, judge_detections
from pipeline.tables import Schema, check

DETECTOR_CHECK: Schema = {  # one row a category
    "category": pl.String(),
    "objects": pl.Int64(),
    "images_with": pl.Int64(),  # that hold one
    "images_without": pl.Int64(),
    "detections": pl.Int64(),  # that count: not those of crowds and ignored objects
    "ap": pl.Float64(),  # mean of average precision at overlaps of 0.5 to 0.95; null if none
    "ap50": pl.Float64(),
    "recall": pl.Float64(),  # of all detections, at an overlap of 0.5
    "false_with": pl.Float64(),  # false positives an image that holds the category
    "false_without": pl.Float64(),  # and an image that does not; null where there is none
    "score_half": pl.Float64(),  # the score from which half of the objects are found, or null
    "false_with_half": pl.Float64(),  # false positives from that score up
    "false_without_half": pl.Float64(),
}
_HALF = 0.5


def check_detector(truth: pl.DataFrame, detections: pl.DataFrame, paths: pl.Series) -> pl.DataFrame:
    """Return DETECTOR_CHECK by falling number of objects, matched as COCO does.

    truth: path, category, x, y, w, h, crowd, ignore of all true boxes. detections: path, category,
    x, y, w, h, score. paths: of all images that the detector has seen; others do not count.
    """
    truth, detections = (one.filter(pl.col("path").is_in(paths.implode()))
                         for one in (truth, detections))  # fmt: skip
    detections = detections.sort("path", "category", "x", "y", "w", "h")
    arrays = take_arrays(truth, detections)
    found = [judge_detections(arrays, one) for one in arrays.match(THRESHOLDS)]
    averages = np.array([one.average(arrays.objects) for one in found])  # (10, k)
    rows = []
    for number, category in enumerate(arrays.categories):
        own = (arrays.true_category == number) & ~arrays.ignored
        rows.append(
            {
                "category": category,
                "objects": int(own.sum()),
                "ap": _known(averages[:, number].mean()) if own.any() else None,
                "ap50": _known(averages[0, number]) if own.any() else None,
                **_count(arrays, found[0], number, paths.n_unique()),
            }
        )
    frame = pl.DataFrame(rows, schema=dict(DETECTOR_CHECK), orient="row")
    ordered = frame.sort("objects", "category", descending=[True, False])
    return check(ordered, DETECTOR_CHECK, table="detector check")


def _count(arrays: BoxArrays, judged: Judged, category: int, images: int) -> dict[str, object]:
    """Return recall and false positives of one category at an overlap of 0.5."""
    true = arrays.true_category == category
    counted = true & ~arrays.ignored
    holding = np.unique(arrays.true_image[true])  # crowds and ignored objects are there too
    own = judged.counted & (judged.category == category)
    correct, scores = judged.correct[own], arrays.scores[own]
    inside = np.isin(arrays.image[own], holding)
    half = _find_half(correct, scores, int(counted.sum()))
    every = np.ones(len(scores), np.bool_)
    best = scores >= half if half is not None else ~every
    amount = {"with": (inside, len(holding)), "without": (~inside, images - len(holding))}
    shares = {
        f"false_{name}{suffix}": float((chosen & place & ~correct).sum()) / count
        if count and (half is not None or not suffix)
        else None
        for suffix, chosen in (("", every), ("_half", best))
        for name, (place, count) in amount.items()
    }
    return {
        "images_with": len(holding),
        "images_without": images - len(holding),
        "detections": len(scores),
        "recall": float(correct.sum()) / int(counted.sum()) if counted.any() else None,
        "score_half": half,
        **shares,
    }


def _find_half(correct: Mask, scores: Floats, objects: int) -> float | None:
    """Return the score from which half of the objects are found; detections by falling score."""
    reached = np.flatnonzero(np.cumsum(correct) >= _HALF * objects)
    return float(scores[reached[0]]) if objects and len(reached) else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
