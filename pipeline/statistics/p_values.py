"""Fisher's exact test, and corrections for having asked many questions."""

from typing import Literal

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints


def fisher(
    high: Ints,
    n: Ints,
    all_high: int,
    all_n: int,
    *,
    direction: Literal["worse", "better"] = "worse",
) -> Floats:
    """Fisher's exact one-sided p: at least (`better`: at most) `high` of n rows by chance.

    Sums the hypergeometric tail outward from the observed count, term by term.
    """
    if direction == "better":
        return fisher(n - high, n, all_n - all_high, all_n)
    k, size = high.astype(np.float64), n.astype(np.float64)
    log = (
        _log_choose(float(all_high), k)
        + _log_choose(float(all_n - all_high), size - k)
        - _log_choose(float(all_n), size)
    )
    term = np.exp(log)
    tail = term.copy()
    alive = np.flatnonzero(term > 0)
    step = 0
    while len(alive):
        at = k[alive] + step
        ratio = (all_high - at) * (size[alive] - at)
        ratio /= (at + 1.0) * (all_n - all_high - size[alive] + at + 1.0)
        term[alive] *= ratio
        tail[alive] += term[alive]
        # Terms rise up to the mode and fall after it: stop where they no longer count.
        alive = alive[(term[alive] > 1e-17 * tail[alive]) | (ratio > 1.0)]
        step += 1
    return np.clip(tail, 0.0, 1.0)


def _log_choose(n: float, k: Floats) -> Floats:
    out: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return out


def adjust_bh(p: Floats) -> Floats:
    """Return Benjamini-Hochberg q-values of a family of p-values, in the order given.

    Source: Benjamini and Hochberg, JRSS B 57, 1995. scipy's own raises on NaN.
    """
    k = len(p)
    order = np.argsort(p, kind="stable")[::-1]
    scaled = p[order] * k / np.arange(k, 0, -1)
    q = np.empty(k)
    q[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return q


def adjust_holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values, in the order given.

    Source: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    k = len(p)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(k)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(k, 0, -1)), 1.0)
    return adjusted
