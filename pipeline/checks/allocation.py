"""How many checks each stratum gets of a budget."""

import numpy as np

from pipeline.arrays import Floats, Ints

_NOTHING = 1e-6  # of the largest weight: less is taken as none
MINIMUM = 10  # checks that every stratum gets, if half of the budget is enough for that


def allocate_budget(
    budget: int, *, weights: Floats, spreads: Floats, checked: Ints, left: Ints
) -> Ints:
    """Divide new checks among h strata by how much each narrows what is estimated.

    weights: (h,) W, how strongly estimates depend on a stratum; all equal where all are 0.
    spreads: (h,) S > 0, standard deviation of one answer. checked: (h,) answers before. left: (h,)
    samples without an answer. Returns (h,) counts x <= left that add up to the budget, or to all
    that is left. With checks before, x = max(floor, lambda W S - checked): the variance of
    sum(W_h * estimate_h) is least at totals that are proportional to W S (Neyman 1934; Cochran,
    Sampling Techniques, 1977, eq. 5.26 with equal costs). The floor brings each stratum to MINIMUM
    answers, or to as many as half of the budget can give to all.
    """
    budget = int(min(budget, left.sum()))
    floor = _find_floor(budget, checked, left)
    worth = weights * spreads if weights.any() else spreads
    worth = worth / worth.max(initial=0.0) if worth.any() else np.ones_like(worth)
    worth[worth < _NOTHING] = 0.0
    low, high = 0.0, 1.0

    def give(scale: float) -> Floats:
        return np.clip(scale * worth - checked, floor, left).astype(np.float64)

    open_ends = worth > 0
    reachable = int(np.where(open_ends, left, floor).sum())
    if reachable < budget:  # strata of weight 0 share what the others cannot take
        rest = np.where(open_ends, 0, left - floor)
        extra = _round_to(rest * ((budget - reachable) / rest.sum()), budget - reachable, rest)
        return np.where(open_ends, left, floor) + extra
    while give(high).sum() < budget:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if give(middle).sum() < budget else (low, middle)
    return _round_to(give(high), budget, left)


def _find_floor(budget: int, checked: Ints, left: Ints) -> Ints:
    """Return (h,) the new checks that bring every stratum to one number of answers."""
    floor = np.zeros_like(left)
    for minimum in range(1, MINIMUM + 1):
        wanted = np.minimum(np.maximum(minimum - checked, 0), left)
        if wanted.sum() > budget / 2:
            break
        floor = wanted
    return floor


def _round_to(shares: Floats, total: int, left: Ints) -> Ints:
    """Round shares to whole numbers that add up to `total`, by largest remainder, ties in order."""
    counts = np.floor(shares + 1e-9).astype(np.int64)
    remainders = np.where(counts < left, shares - counts, -np.inf)
    for at in np.argsort(-remainders, kind="stable")[: max(total - int(counts.sum()), 0)]:
        counts[at] += 1
    return counts
