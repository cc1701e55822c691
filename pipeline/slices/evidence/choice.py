"""Choose distinct slices: forward by the evidence that the chosen ones leave, with steps back.

Each step asks whether the chosen slices explain all: the largest statistic of the family on the
rows in none of them against its distribution under permutation of these rows (max-T for forward
selection: Fithian, Taylor, Tibshirani and Tibshirani, arXiv 1512.02565, 2015).
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.evidence.assessment import Assessment, Assessor
from pipeline.slices.evidence.significance import compute_tail
from pipeline.slices.evidence.stratified_score import score_beside
from pipeline.vocabulary import LEVEL

FORWARD = 0.04  # level of each step; below 5 %, so that rates measured on 400 tables are too
BACKWARD = LEVEL
SPECIAL = 0.01  # to pass from a slice to a special one inside it; going back takes LEVEL
_MOST = 399  # permutations of a step after the first
_FREE = 0.5  # share of a slice that must be left for a more general one to replace it
Members = Callable[[int], Mask]  # position in the family -> (n,) its rows


def choose_slices(
    assessor: Assessor, full: Assessment, members: Members, *, limit: int
) -> tuple[dict[int, Assessment], Assessment]:
    """Return the chosen slices by position, each with the assessment that it was chosen by.

    And the last assessment, most often of the rows that all of them leave.

    full: the assessment of all rows. limit: how many are chosen at most. The largest statistic goes
    first; it gives way to a special slice inside it that is clearly worse than its other rows, or
    to a more general one beyond which it adds nothing. Then slices that no longer say anything
    beside the others are dropped. Ends where nothing is significant on the rows left, or where the
    same set of slices comes again.
    """
    chosen: dict[int, Assessment] = {}
    seen: set[frozenset[int]] = set()
    now = full
    while len(chosen) < limit:
        best = _take_largest(assessor, full, now, chosen)
        if best is None:
            break
        best = _specialize(assessor, now, best, chosen, members)
        best = _generalize(assessor, now, best, chosen, members)
        chosen[best] = now
        _drop_explained(assessor, full, chosen, members)
        if frozenset(chosen) in seen:
            break
        seen.add(frozenset(chosen))
        remaining: Mask = ~np.logical_or.reduce([members(position) for position in chosen])
        if not remaining.any():
            break
        now = assessor.assess(remaining, most=_MOST)
    return chosen, now


def _take_largest(
    assessor: Assessor, full: Assessment, now: Assessment, chosen: dict[int, Assessment]
) -> int | None:
    """Return the slice with the largest statistic where that is significant, here and in full."""
    statistic = now.statistic.copy()
    statistic[list(chosen)] = -np.inf
    for position in np.argsort(-statistic, kind="stable"):  # of equal ones the best score
        if not now.is_significant(int(position), FORWARD):
            return None
        if _is_evident(assessor, full, int(position)):
            return int(position)
    return None


def _is_evident(assessor: Assessor, full: Assessment, position: int) -> bool:
    """Return whether a slice is significant among all rows too, by q or by family-wise p.

    Two q: the reported one, and that of the root deviance, which is less weak for small slices.
    """
    by_q = min(assessor.family.q[position], full.q[position]) < LEVEL
    return bool(by_q) or full.is_significant(position, LEVEL)


def _specialize(
    assessor: Assessor, now: Assessment, best: int, chosen: dict[int, Assessment], members: Members
) -> int:
    """Return the slice inside the best one that explains it: clearly worse than its other rows.

    A slice with a large error in a part of it alone has a larger error too, but diluted. p counts
    the slices inside (Bonferroni); what remains of the general one is assessed again without the
    special one's rows.
    """
    family = assessor.family
    while True:
        inside = np.flatnonzero(family.hold(family.ids(best)))
        inside = inside[inside != best]
        open_ = inside[np.isfinite(now.statistic[inside])]
        open_ = open_[~np.isin(open_, list(chosen))]
        p = _compare_within(assessor, now, best, open_) * len(inside)
        found = None
        for place in np.argsort(p, kind="stable"):
            candidate = int(open_[place])
            if p[place] > SPECIAL or found is not None:
                break
            if (
                _compare(assessor, now, candidate, best, members, float(p[place]) / len(inside))
                * len(inside)
                > SPECIAL
            ):
                continue
            if now.is_significant(candidate, FORWARD):
                found = candidate
        if found is None:
            return best
        best = found


def _generalize(
    assessor: Assessor, now: Assessment, best: int, chosen: dict[int, Assessment], members: Members
) -> int:
    """Return the more general significant slice that leaves the best one nothing to add, if any.

    The special slice is the best of many, so its p against the other rows of the general one is
    multiplied by the number of counted slices inside the general one (Bonferroni). Of several, the
    one with the largest statistic is taken. A slice that the chosen ones mostly hold stays.
    """
    family = assessor.family
    if now.sums.weight[best] < _FREE * family.sums.weight[best]:
        return best
    options = []
    around = family.layout.find_around(family.slices, family.ids(best))
    around[[best, *chosen]] = False
    for position in np.flatnonzero(around & np.isfinite(now.statistic)).tolist():
        inside = int(family.hold(family.ids(position)).sum()) - 1
        p = float(_compare_within(assessor, now, position, np.array([best]))[0])
        if _compare(assessor, now, best, position, members, p) * inside > LEVEL:
            options.append((-float(now.statistic[position]), position))
    for _, position in sorted(options):
        if now.is_significant(position, FORWARD):
            return position
    return best


def _compare_within(assessor: Assessor, now: Assessment, general: int, special: Ints) -> Floats:
    """Return one-sided p of slices against the other rows of the one that holds them.

    Rows count as independent here, also with clusters.
    """
    direction = assessor.discovery.search.options.direction
    around = now.sums.take(np.array([general]))
    return compute_tail(
        around, now.sums.take(special), now.subset.cells.losses, direction=direction
    )


def _compare(
    assessor: Assessor, now: Assessment, special: int, general: int, members: Members, p: float
) -> float:
    """Return p of a slice against the other rows, or clusters, of a more general one."""
    discovery = assessor.discovery
    if discovery.rows.cluster_ids is None:
        return p
    there = now.remaining
    inside, around = members(special) & there, members(general) & there
    return discovery.compare(inside, around & ~inside)


def _drop_explained(
    assessor: Assessor, full: Assessment, chosen: dict[int, Assessment], members: Members
) -> None:
    """Drop chosen slices that are not significant given the others, the smallest z first."""
    discovery = assessor.discovery
    while len(chosen) > 1:
        worst: tuple[float, int] | None = None
        for position in chosen:
            others = [members(other) for other in chosen if other != position]
            if not any((members(position) & other).any() for other in others):
                continue
            z = score_beside(
                discovery.rows.losses, discovery.rows.cluster_ids, members(position), others,
                direction=discovery.search.options.direction,
            )  # fmt: skip
            if _is_special(assessor, position, chosen, z):
                continue
            if worst is None or z < worst[0]:
                worst = (z, position)
        if worst is None or full.is_rare(worst[0], BACKWARD):
            return
        del chosen[worst[1]]


def _is_special(assessor: Assessor, position: int, chosen: dict[int, Assessment], z: float) -> bool:
    """Return whether a slice inside a chosen one is worse than the other rows of that.

    p counts the slices inside the general one (Bonferroni), as `_specialize` and `_generalize` do.
    """
    family = assessor.family
    around = family.layout.find_around(family.slices, family.ids(position))
    for other in chosen:
        if other != position and around[other]:
            inside = int(family.hold(family.ids(other)).sum()) - 1
            if float(special.ndtr(-z)) * inside <= BACKWARD:
                return True
    return False
