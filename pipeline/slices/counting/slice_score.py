"""SliceLine's score of a slice, and the bound that no conjunction inside a slice can exceed."""

import numpy as np

from pipeline.arrays import Floats
from pipeline.slices.options import Direction


def score_slices(
    weight: Floats,
    total: Floats,
    *,
    all_weight: float,
    all_total: float,
    alpha: float,
    direction: Direction = "worse",
) -> Floats:
    """Score slices by how much worse (or better) they do, less a price for being small.

    weight: (k,) rows of each slice, or their summed weights, > 0. total: (k,) their error sums.
    Returns (k,) `alpha (mean(S) / mean - 1) - (1 - alpha) (n / |S| - 1)`; for `better` the first
    bracket changes its sign; without any error at all it is 0.
    Source: Sagadeeva and Boehm, SliceLine, SIGMOD 2021, definition 1.
    """
    mean = all_total / all_weight
    lift = total / weight / mean - 1.0 if mean > 0 else np.zeros_like(weight)
    sign = 1.0 if direction == "worse" else -1.0
    return alpha * sign * lift - (1.0 - alpha) * (all_weight / weight - 1.0)


def bound_scores(
    weight: Floats,
    total: Floats,
    largest: Floats,
    *,
    all_weight: float,
    all_total: float,
    alpha: float,
    min_weight: float,
    direction: Direction = "worse",
) -> Floats:
    """Bound the score of every conjunction inside each slice, itself included.

    weight, total, largest: (k,) size, error sum and largest error of the slices.
    A conjunction inside has s rows, min_weight <= s <= weight, and at most min(s * largest, total)
    of the error sum (for `better`: at least total - (weight - s) * largest). The score is monotone
    between the kinks, so the best of them bounds it. Sizes are taken in rows: sliceline 0.3.0 puts
    the number of one-hot columns there. Source: SliceLine, equation 3.
    """
    mean = all_total / all_weight
    if mean <= 0:
        return score_slices(weight, total, all_weight=all_weight, all_total=all_total, alpha=alpha)
    ratio = np.divide(total, largest, out=np.zeros_like(total), where=largest > 0)
    kink = ratio if direction == "worse" else weight - ratio
    best = np.full(weight.shape, -np.inf)
    for size in (np.full_like(weight, min_weight), kink, weight):
        s = np.clip(size, min_weight, np.maximum(weight, min_weight))
        if direction == "worse":
            reach = alpha * (np.minimum(s * largest, total) / (s * mean) - 1.0)
        else:
            reach = alpha * (1.0 - np.maximum(total - (weight - s) * largest, 0.0) / (s * mean))
        best = np.maximum(best, reach - (1.0 - alpha) * (all_weight / s - 1.0))
    return best
