"""The signed root of the deviance of 2 x 2 tables: near normal, also for small counts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.arrays import Floats, Ints


def root_deviance(count: NDArray[Any], size: Ints, high: int, n: int, sign: float = 1.0) -> Floats:
    """Return (k,) signed roots of the likelihood ratio, -inf where a slice has no excess.

    count: (k,) high errors inside; size: (k,) rows inside; high, n: those of all rows. sign: 1 for
    more errors inside than expected, -1 for fewer. Source: McCullagh and Nelder, Generalized Linear
    Models, 1989, section 4.4.
    """
    excess = sign * (count - size * (high / max(n, 1)))
    out = np.full(len(size), -np.inf)
    up = excess > 0
    a, s = count[up].astype(np.float64), size[up].astype(np.float64)
    table = (
        (a, s * high / n),
        (s - a, s * (n - high) / n),
        (high - a, (n - s) * high / n),
        (n - high - s + a, (n - s) * (n - high) / n),
    )
    total = np.zeros(len(a))
    for seen, fair in table:
        total += special.xlogy(seen, np.divide(seen, fair, out=np.ones(len(a)), where=fair > 0))
    out[up] = np.sqrt(np.maximum(2.0 * total, 0.0))
    return out


def largest_root_deviance(
    counts: NDArray[Any], size: Ints, high: int, n: int, sign: float
) -> Floats:
    """Return the largest signed root deviance of each of R tables of counts (k, R).

    The deviance D is at most 2 n log(1 + X / n) with Pearson's chi-squared X (the Kullback-Leibler
    and chi-squared divergences: Tsybakov, Introduction to Nonparametric Estimation, 2009, lemma
    2.7). So only slices whose X can still reach the largest D seen need logarithms.
    """
    rate = high / n
    with np.errstate(divide="ignore"):
        scale = (1.0 / size + 1.0 / (n - size)) / (rate * (1.0 - rate))  # (k,)
    scale[size >= n] = 0.0
    root = sign * np.sqrt(scale)
    pearson = (counts - (size * rate)[:, None]) * root[:, None]  # (k, R)
    best = np.full(counts.shape[1], -np.inf)
    if not len(size):
        return best
    top = pearson.argmax(axis=0)
    for r in range(counts.shape[1]):
        column = pearson[:, r]
        first = root_deviance(
            counts[top[r] : top[r] + 1, r], size[top[r] : top[r] + 1], high, n, sign
        )
        least = n * np.expm1(max(float(first[0]), 0.0) ** 2 / (2 * n))  # of X
        near = np.flatnonzero(column >= np.sqrt(least) * (1 - 1e-9))
        best[r] = root_deviance(counts[near, r], size[near], high, n, sign).max(initial=-np.inf)
    return best
