"""Average precision and precision of a ranking, as the Oxford and Paris benchmarks measure them."""

import numpy as np

from pipeline.arrays import Floats, Ints

CUTS = (1, 5, 10)  # of precision


def average_precision(ranks: Ints) -> float:
    """Return the area under precision over recall, between points by the trapezoid.

    ranks: (r,) positions from 0 of the relevant samples among those that count, ascending; what is
    ignored was taken out before. Each adds 1/r times the mean of the precision just before it (1 at
    the top) and with it. NaN without a relevant sample. Source: Philbin et al., CVPR 2007, section
    3.3, and the protocol of Radenovic et al., Revisiting Oxford and Paris, CVPR 2018, section 3.
    """
    if len(ranks) == 0:
        return float("nan")
    found = np.arange(len(ranks))
    before = np.where(ranks == 0, 1.0, found / np.maximum(ranks, 1))
    after = (found + 1) / (ranks + 1)
    return float(((before + after) / 2).mean())


def precision_at(ranks: Ints, cut: int) -> float:
    """Return the share of relevant samples among the first `cut`; NaN without any.

    ranks: as of `average_precision`. Where the last relevant sample comes earlier, its position is
    the cut: nothing more can be found after it. Source: Radenovic et al. 2018, section 3.
    """
    if len(ranks) == 0:
        return float("nan")
    reach = min(int(ranks[-1]) + 1, cut)
    return float((ranks < reach).sum() / reach)


def expect_by_chance(relevant: Ints, candidates: Ints) -> Floats:
    """Return (q,) the average precision that a random order has on average.

    relevant, candidates: (q,) how many samples are relevant, and how many count at all. With r of
    n relevant, precision before and with the relevant sample at position i is (r - 1) / (n - 1) and
    (1 + (r - 1)(i - 1) / (n - 1)) / i on average, i being any of 1 to n alike. NaN without one.
    """
    r, n = relevant.astype(np.float64), candidates.astype(np.float64)
    most = int(n.max(initial=0))
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, most + 1))])[candidates]
    other = (r - 1) / np.maximum(n - 1, 1)
    before = 1 + (n - 1) * other
    after = harmonic + other * (n - harmonic)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(relevant > 0, (before + after) / (2 * n), np.nan)
