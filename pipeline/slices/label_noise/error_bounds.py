"""What the errors of a slice can be at most and at least, with nothing assumed of its labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats
from pipeline.slices.label_noise.noise_rows import AttributeRows
from pipeline.slices.label_noise.slice_draws import Membership

_PRIOR = 1.0


@dataclass(frozen=True)
class Bounds:
    """(d,) draws of the least and the most that size, error and precision of a slice can be."""

    n: tuple[Floats, Floats]
    error: tuple[Floats, Floats]
    rest_error: tuple[Floats, Floats]
    precision: tuple[Floats, Floats]


def bound_slice(
    attributes: Sequence[AttributeRows], inside: Sequence[Membership], errors: Floats,
    *, draws: int, rng: np.random.Generator,
) -> Bounds:  # fmt: skip
    """Bound a slice by which of its predicates the labels of a row fulfil.

    In each of these 2^m patterns the checks say what share truly fulfils each predicate; all of
    them together at least their sum less m - 1, at most the smallest (Frechet's bounds), and the
    errors can be inside or outside. Errors of labels may depend on anything.
    """
    pattern = np.zeros(len(errors), np.int64)
    for rows, one in zip(attributes, inside, strict=True):
        pattern = pattern * 2 + one.shown[rows.labels]
    count = 1 << len(attributes)
    n = np.bincount(pattern, minlength=count).astype(np.float64)
    total = np.bincount(pattern, errors, minlength=count).astype(np.float64)
    least = np.full((draws, count), 1.0 - len(attributes))
    most = np.ones((draws, count))
    for rows, one in zip(attributes, inside, strict=True):
        known = rows.truth >= 0
        hit = known & one.true[rows.truth]
        right = np.bincount(pattern, rows.weights * hit, minlength=count)
        wrong = np.bincount(pattern, rows.weights * (known & ~hit), minlength=count)
        share = rng.beta(right + _PRIOR / 2, wrong + _PRIOR / 2, (draws, count))
        least += share
        most = np.minimum(most, share)
    low, high = np.clip(least, 0.0, 1.0) * n, most * n
    limit = float(errors.max(initial=0.0))
    error = _bound_ratio(low, high, n, total, limit)
    rest = _bound_ratio(n - high, n - low, n, total, limit)
    shown_n = max(n[-1], 1.0)
    precision = (low[:, -1] / shown_n, high[:, -1] / shown_n)
    return Bounds((low.sum(axis=1), high.sum(axis=1)), error, rest, precision)


def _bound_ratio(
    low: Floats, high: Floats, n: Floats, total: Floats, limit: float
) -> tuple[Floats, Floats]:
    """Bound error sum / rows over cells of which low..high rows belong; (d, c) each.

    Of k rows of a cell the errors sum to at least total - (n - k) limit, at most to k limit.
    A ratio of sums that are linear in pieces has its extremes where each k is an end or a kink
    (Dinkelbach, Management Science 13, 1967).
    """
    if limit <= 0:
        return np.zeros(len(low)), np.zeros(len(low))
    failed = np.broadcast_to(total / limit, low.shape)
    size = np.broadcast_to(n, low.shape)
    kinks = (np.clip(size - failed, low, high), np.clip(failed, low, high))
    results = []
    for sign, kink in zip((1.0, -1.0), kinks, strict=True):
        k = np.stack([low, high, kink])  # (3, d, c)
        inside = np.maximum(failed - (size - k), 0.0) if sign > 0 else np.minimum(failed, k)
        ratio = np.full(len(low), 1.0 if sign > 0 else 0.0)
        for _ in range(20):
            best = np.argmin(sign * (inside - ratio[:, None] * k), axis=0)[None]
            top = np.take_along_axis(inside, best, 0)[0].sum(axis=1)
            bottom = np.take_along_axis(k, best, 0)[0].sum(axis=1)
            ratio = np.divide(top, bottom, out=ratio.copy(), where=bottom > 1e-9)
        results.append(ratio * limit)
    return results[0], results[1]
