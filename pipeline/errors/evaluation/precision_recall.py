"""Average precision as COCO has it, and precision and recall at a score."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints, Mask
from pipeline.errors.evaluation.box_arrays import BoxArrays
from pipeline.errors.matching import Matches

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)  # of COCO's AP50:95
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Judged:
    """Detections by falling score: (m,) category, whether it counts, whether it is correct."""

    category: Ints
    counted: Mask
    correct: Mask

    def average(self, objects: Ints) -> Floats:
        """Return the average precision of each category; NaN of one without objects.

        objects: (k,) how many there are of each category.
        """
        own = np.full(len(objects), np.nan)
        for category in np.flatnonzero(objects > 0):
            chosen = self.counted & (self.category == category)
            own[category] = average_precision(self.correct[chosen], int(objects[category]))
        return own


def judge_detections(arrays: BoxArrays, matches: Matches) -> Judged:
    """Return which detections count and are correct; those of crowds and ignored objects do not."""
    matched = matches.truth_of >= 0
    on_ignored = np.zeros(len(matched), dtype=np.bool_)
    on_ignored[matched] = arrays.ignored[matches.truth_of[matched]]
    return Judged(arrays.category, ~on_ignored, matched & ~on_ignored)


def average_precision(correct: Mask, objects: int) -> float:
    """Return the mean over 101 recalls of the best precision at that recall or more.

    correct: (m,) of the detections of one category by falling score. objects: how many there are to
    find, 1 or more. Source: pycocotools' `COCOeval.accumulate`.
    """
    found = np.cumsum(correct)
    precision = found / np.arange(1, len(correct) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(found / objects, _RECALLS, side="left")
    reached = place < len(correct)
    return float(precision[place[reached]].sum() / len(_RECALLS))


def trace_curve(correct: Mask, scores: Floats, objects: int) -> list[tuple[float, float, float]]:
    """Return points (threshold, precision, recall) by rising recall, at most 102 of them.

    correct, scores: (m,) of detections by falling score; of equal scores all count or none. Of each
    hundredth of recall the first point that reaches it is kept, and the last of all. Empty without
    detections or objects.
    """
    if not len(scores) or not objects:
        return []
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    found = np.cumsum(correct)[ends]
    precision, recall = found / (ends + 1), found / objects
    steps = np.searchsorted(recall, _RECALLS, side="left")
    kept = np.unique(np.append(steps[steps < len(ends)], len(ends) - 1))
    return [(float(scores[ends[at]]), float(precision[at]), float(recall[at])) for at in kept]


def average_over(values: Floats) -> float | None:
    """Return the mean of the categories that have a value; None where none has."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
