"""Welch's t on the normal scale, so that small slices' heavy tails do not rule a maximum."""

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.evidence.significance import (
    effective_size,
    mean_and_variance,
    subtract_sums,
)


def normal_t(total: Sums, part: Sums, sign: float) -> Floats:
    """Return Welch's t of (k,) slices against their complements on the normal scale.

    sign: 1 for larger errors inside, -1 for smaller; -inf where the difference has the other sign.
    Source: Wallace, Annals of Mathematical Statistics 30, 1959 (bounds for t).
    """
    complement = subtract_sums(total, part)
    mean, variance = mean_and_variance(part)
    other_mean, other_variance = mean_and_variance(complement)
    n, other_n = effective_size(part), effective_size(complement)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = variance / n, other_variance / other_n
        t = sign * (mean - other_mean) / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a * a / (n - 1.0) + b * b / (other_n - 1.0))
        z = np.sqrt(freedom * np.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return np.where(np.isfinite(z) & (t > 0), z, -np.inf)


def largest_normal_t(total: Sums, n: Ints, errors: Floats, squares: Floats, sign: float) -> Floats:
    """Return the largest `normal_t` of each of L permutations of errors without weights.

    n: (k,) rows of the slices. errors, squares: (k, L) sums of errors and squared errors. The
    normal scale only makes t smaller (log(1 + x) <= x), so only slices whose t can still reach the
    largest value seen are brought to it.
    """
    best = np.full(errors.shape[1], -np.inf)
    if not len(n):
        return best
    inside, outside = n[:, None], (total.n - n)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, other = errors / inside, (total.total - errors) / outside
        a = np.maximum(squares / inside - mean * mean, 0.0) / (inside - 1)
        b = np.maximum((total.total2 - squares) / outside - other * other, 0.0) / (outside - 1)
        t = sign * (mean - other) / np.sqrt(a + b)  # (k, L)
    t[np.isnan(t)] = -np.inf
    for lane, top in enumerate(t.argmax(axis=0).tolist()):
        first = normal_t(total, _take(n, errors, squares, lane, np.array([top])), sign)[0]
        near = np.flatnonzero(t[:, lane] >= first * (1 - 1e-9))
        best[lane] = normal_t(total, _take(n, errors, squares, lane, near), sign).max()
    return best


def _take(n: Ints, errors: Floats, squares: Floats, lane: int, rows: Ints) -> Sums:
    """Return the Sums of some slices in one permutation; `largest` is not known and left at 0."""
    size = n[rows].astype(np.float64)
    return Sums(n[rows], size, size, errors[rows, lane], squares[rows, lane], np.zeros_like(size))
