"""The kinds of a detector's errors, and what each costs in average precision.

Source: Bolya, Foley, Hays and Hoffman 2020, "TIDE: A General Toolbox for Identifying Object
Detection Errors", sections 2.2 and 2.3, and for the order of the tests their package tidecv 1.0.1.
With t the overlap that a match needs and b that of the background, an unmatched detection is of the
first kind that fits:

- localization: it overlaps an object of its category by b to t;
- class: it overlaps an object of another category by t or more;
- duplicate: it overlaps an object of its category by t or more, which a better one has matched;
- background: it overlaps no object by more than b;
- both: whatever remains, which overlaps an object of another category by b to t.

An object is missed that no detection matches and that is not the target of a localization or class
error. What a kind costs is how much the average precision rises when an oracle mends that kind
alone. It gives detections of kind localization and class the box or category of their target: of
those with one target the best becomes correct, the others are removed, as are all where the target
is matched already. It removes detections of kind both, duplicate and background, and takes missed
objects out of the number of objects.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask
from pipeline.errors.evaluation.box_arrays import BoxArrays
from pipeline.errors.evaluation.evaluation_tables import ERROR_KINDS
from pipeline.errors.evaluation.precision_recall import Judged, average_over, judge_detections
from pipeline.errors.matching import Matches
from pipeline.errors.overlaps import measure_overlap, pair_up
from pipeline.tables import check

MATCH, BACKGROUND = 0.5, 0.1  # overlaps, as in the paper
KINDS = ("class", "localization", "both", "duplicate", "background", "missed")
_CLASS, _LOCALIZATION, _BOTH, _DUPLICATE, _BACKGROUND, _MISSED = range(len(KINDS))
_PAIRS = 2_000_000  # in a batch


@dataclass(frozen=True)
class KindsOfErrors:
    """kind: (m,) index into KINDS of each detection, -1 of one that is correct or does not count.

    target: (m,) the object that an error of class or localization is about, else -1. missed: (n,).
    """

    kind: Ints
    target: Ints
    missed: Mask


def find_kinds(
    arrays: BoxArrays, matches: Matches, *, match: float = MATCH, background: float = BACKGROUND
) -> KindsOfErrors:
    """Return the kind of each error; matches: of `arrays`, at the overlap `match`."""
    kind = np.full(len(arrays.scores), -1)
    target = np.full(len(arrays.scores), -1)
    wrong = np.flatnonzero(matches.truth_of < 0)
    same, same_target, other, other_target = _find_nearest(arrays, wrong)
    tests = {
        _LOCALIZATION: (same >= background) & (same < match),
        _CLASS: other >= match,
        _DUPLICATE: same >= match,
        _BACKGROUND: np.maximum(same, other) <= background,
    }
    kind[wrong] = np.select(list(tests.values()), list(tests), default=_BOTH)
    target[wrong] = np.select(
        [kind[wrong] == _LOCALIZATION, kind[wrong] == _CLASS], [same_target, other_target], -1
    )
    missed = (matches.detection_of < 0) & ~arrays.ignored
    missed[target[target >= 0]] = False
    return KindsOfErrors(kind, target, missed)


def list_error_kinds(arrays: BoxArrays, matches: Matches) -> pl.DataFrame:
    """Return ERROR_KINDS in the order of KINDS: how many there are of each, and what they cost.

    matches: at the overlap MATCH. The cost is a rise of the mean average precision at MATCH, in
    shares of 1; null without objects.
    """
    found = find_kinds(arrays, matches)
    judged, objects = judge_detections(arrays, matches), arrays.objects
    mended = _choose_mended(arrays, matches, found)
    before = average_over(judged.average(objects))
    rows = []
    for number, name in enumerate(KINDS):
        count = int(found.missed.sum() if number == _MISSED else (found.kind == number).sum())
        cost = None
        if before is not None:
            after = _mend(arrays, judged, found, mended, number)
            cost = max(0.0, after - before)
        rows.append((name, count, cost))
    frame = pl.DataFrame(rows, schema=dict(ERROR_KINDS), orient="row")
    return check(frame, ERROR_KINDS, table="error kinds")


def _find_nearest(arrays: BoxArrays, rows: Ints) -> tuple[Floats, Ints, Floats, Ints]:
    """Return for some detections the best overlap with an object of the own category and which.

    Then the same for other categories; 0 and -1 where there is none.
    """
    counted = np.flatnonzero(~arrays.ignored)
    best = {same: np.zeros(len(rows)) for same in (True, False)}
    which = {same: np.full(len(rows), -1) for same in (True, False)}
    for place, number in pair_up(arrays.image[rows], arrays.true_image[counted], _PAIRS):
        candidate = counted[number]
        crowds = np.zeros(len(candidate), dtype=np.bool_)
        overlap = measure_overlap(
            arrays.boxes[rows[place]], arrays.true_boxes[candidate], crowds=crowds
        )
        own = arrays.category[rows[place]] == arrays.true_category[candidate]
        for same in (True, False):
            chosen = np.flatnonzero((own == same) & (overlap > 0))
            order = chosen[np.lexsort((overlap[chosen], place[chosen]))]
            best[same][place[order]] = overlap[order]  # the last of a detection remains
            which[same][place[order]] = candidate[order]
    return best[True], which[True], best[False], which[False]


def _choose_mended(arrays: BoxArrays, matches: Matches, found: KindsOfErrors) -> Mask:
    """Return (m,) which errors of class and localization become correct when they are mended.

    The best of each target that no detection matches, over both kinds, as tidecv has it.
    """
    free = np.flatnonzero(found.target >= 0)
    free = free[matches.detection_of[found.target[free]] < 0]
    _, first = np.unique(found.target[free], return_index=True)  # detections are by falling score
    mended = np.zeros(len(arrays.scores), dtype=np.bool_)
    mended[free[first]] = True
    return mended


def _mend(
    arrays: BoxArrays, judged: Judged, found: KindsOfErrors, mended: Mask, kind: int
) -> float:
    """Return the mean average precision after an oracle mended one kind of errors.

    A category all of whose objects are taken out keeps its average precision of 0.
    """
    objects = arrays.objects
    left = objects.copy()
    if kind == _MISSED:
        left -= np.bincount(arrays.true_category[found.missed], minlength=len(objects))
    of_kind = found.kind == kind
    category = judged.category.copy()
    fixed = np.flatnonzero(of_kind & mended)
    category[fixed] = arrays.true_category[found.target[fixed]]
    after = replace(
        judged,
        category=category,
        counted=judged.counted & (~of_kind | mended),
        correct=judged.correct | (of_kind & mended),
    )
    values = after.average(left)
    values[(objects > 0) & (left == 0)] = 0.0
    return average_over(values) or 0.0
