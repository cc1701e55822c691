"""Does a group's mean differ from its rest's by more than chance? Two-sided p-values."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.fairness.estimates import NAN, Estimate, Values, add_weights
from pipeline.statistics.p_values import fisher

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_FEW = 10  # below this many in any of the four counts, rates get the exact test


def compare_means(
    values: Values, inside: Ints, outside: Ints, pair: tuple[Estimate, Estimate]
) -> float:
    """Return p of the difference between two sets of rows; NaN where nothing can be said.

    Rates of independent rows: Fisher's exact test where a count is small. Else, and where rows
    share images, `compute_score_p`; of other independent numbers the larger of that and Welch's t
    (Biometrika 34, 1947), which takes a skewed group without its few large numbers for better.
    """
    if values.images is None and values.rate:
        table = [values.numbers[rows] for rows in (inside, outside)]
        counts = [int(part.sum()) for part in table]
        rest = [len(part) - count for part, count in zip(table, counts, strict=True)]
        if min(*counts, *rest) < _FEW and len(inside) and len(outside):
            return _fisher(counts[0], len(inside), sum(counts), len(inside) + len(outside))
    alone = np.zeros(1, np.int64)
    p = compute_score_p(
        values, inside, outside,
        own=np.broadcast_to(alone, len(inside)), other=np.broadcast_to(alone, len(outside)),
        weight=np.array([1.0 / max(len(outside), 1)]),
    )  # fmt: skip
    one, other = pair
    if values.images is None and not values.rate and one.variance > 0 and other.variance > 0:
        return max(p, _welch(one, other))
    return p


def compute_score_p(
    values: Values, inside: Ints, outside: Ints, *, own: Ints, other: Ints, weight: Floats
) -> float:
    """Return p of mean(inside) - sum(weight x outside), whose strata are alike under the null.

    own, other: the strata of the rows inside and outside. weight: (s,) of each row outside. All
    rows are taken about their stratum's common mean and added up by image (the score form of the
    cluster-robust test: Liang and Zeger, Biometrika 73, 1986). The variance is no smaller than if
    the rows of a stratum had been dealt out by chance, those of one image as alike as all rows
    show: a group of few errors seems too sure of itself. For rates of independent rows it is that
    (Mantel and Haenszel, JNCI 22, 1959). NaN below two images on a side.
    """
    few = min(values.count_images(inside), values.count_images(outside))
    if few < 2:
        return NAN
    rows, strata = np.concatenate([inside, outside]), np.concatenate([own, other])
    count = len(weight)
    n = np.bincount(strata, minlength=count)
    center = add_weights(strata, values.numbers[rows], count) / np.maximum(n, 1)
    residual = values.numbers[rows] - center[strata]
    part = np.concatenate([np.full(len(inside), 1.0 / len(inside)), -weight[other]])
    dealt = add_weights(strata, residual**2, count) / np.maximum(n - 1, 1)
    spread = values.add_up(rows, part * residual)
    variance = _deal_out(values, rows, part * np.sqrt(dealt[strata]), residual, dealt[strata])
    if values.images is not None or not values.rate:
        images = values.count_images(rows)
        variance = max(variance, float((spread**2).sum()) * images / (images - 1))
    if variance <= 0:
        return 1.0
    t = abs(float(spread.sum())) / variance**0.5
    return min(2 * float(special.stdtr(few - 1, -t)), 1.0)


def _deal_out(values: Values, rows: Ints, part: Floats, residual: Floats, dealt: Floats) -> float:
    """Return the variance of sum(part x residual) if chance dealt out residuals among the rows.

    part: (n,) times the standard deviation in the row's stratum, whose square is dealt. Two rows of
    one image are as alike as the moment estimator of the intraclass correlation says, no less than
    not at all.
    """
    alone = float((part**2).sum())
    if values.images is None:
        return alone
    scaled = residual / np.sqrt(np.where(dealt > 0, dealt, 1.0))
    together, sizes = values.add_up(rows, scaled), values.add_up(rows, np.ones(len(rows)))
    pairs = float((sizes**2).sum()) - len(rows)
    seen = float((together**2).sum() - (scaled**2).sum())
    alike = min(max(seen / pairs, 0.0), 1.0) if pairs > 0 else 0.0
    by_image = float((values.add_up(rows, part) ** 2).sum())
    return (1 - alike) * alone + alike * by_image


def _fisher(high: int, n: int, all_high: int, all_n: int) -> float:
    """Double the smaller tail of Fisher's exact test."""
    more = fisher(np.array([high]), np.array([n]), all_high, all_n)
    fewer = fisher(np.array([high]), np.array([n]), all_high, all_n, direction="better")
    return min(2 * float(min(more[0], fewer[0])), 1.0)


def _welch(one: Estimate, other: Estimate) -> float:
    """Welch's t test with Satterthwaite's degrees of freedom."""
    a, b = one.variance, other.variance
    freedom = (a + b) ** 2 / (a * a / (one.images - 1) + b * b / (other.images - 1))
    return 2 * float(special.stdtr(freedom, -abs(one.value - other.value) / (a + b) ** 0.5))
