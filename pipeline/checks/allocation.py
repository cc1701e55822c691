"""How many checks each stratum gets of a budget."""

import numpy as np

from pipeline.arrays import Floats, Ints

_NOTHING = 1e-6  # of the largest weight: less is taken as none
MINIMUM = 10  # checks that every stratum gets, if half of the budget is enough for that
RARER = 0.4  # of the checks of a label, at least, are of the rarer of failed samples and others


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


def split_by_failure(new: int, *, sizes: Ints, checked: Ints) -> Ints:
    """Divide the new checks of one label over the samples on which a system fails and the others.

    sizes, checked: (k,) samples and answers before, k one or two. In all, answers before included,
    each has its share of the samples, but at least RARER. Systems mostly fail seldom: of a hundred
    samples drawn without that, five say whether labels are wrong where the system is, and what
    failed samples truly are. Sampling by the outcome is the known remedy (White, American Journal
    of Epidemiology 115, 1982; Breslow and Cain, Biometrika 75, 1988), and weights by 1 / inclusion
    undo it. Returns (k,) counts that add up to `new`, or to all that is left.
    """
    left = sizes - checked
    new = int(min(new, left.sum()))
    if len(sizes) == 1:
        return np.array([new], np.int64)
    share = np.clip(sizes[0] / sizes.sum(), RARER, 1 - RARER)
    total = checked.sum() + new
    first = int(np.clip(round(share * total) - checked[0], 0, new))
    first = int(np.clip(first, new - min(new, left[1]), left[0]))
    return np.array([first, new - first], np.int64)


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
