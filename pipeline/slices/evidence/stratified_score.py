"""The evidence for one slice beside others: on the rows that these leave, or within them."""

import numpy as np
from scipy import special

from pipeline.arrays import Ints, Mask
from pipeline.slices.counting.fixed_point import Losses
from pipeline.slices.evidence.clusters import compare_clusters
from pipeline.slices.evidence.discovery import compare_rows
from pipeline.slices.evidence.normal_t import normal_t
from pipeline.slices.evidence.root_deviance import root_deviance
from pipeline.slices.options import Direction

_LEFT = 0.05  # share of a slice that the others must leave for it to be tested on those rows
_LARGEST = 38.0  # z beyond which a normal tail is 0 in floats


def score_rows(
    losses: Losses, cluster_ids: Ints | None, inside: Mask, reference: Mask, *, direction: Direction
) -> float:
    """Return z of some rows' error against that of reference rows; 0 where nothing can be said.

    The signed root deviance for two-valued errors, Welch's t on the normal scale for others, and
    with clusters the normal quantile of their t. Positive where the rows are worse (or better).
    """
    if not inside.any() or not reference.any():
        return 0.0
    both = np.flatnonzero(inside | reference)
    part = losses.take(both)
    if cluster_ids is not None:
        p = compare_clusters(part, cluster_ids[both], inside[both], direction=direction)
        return float(np.clip(-special.ndtri(p), -_LARGEST, _LARGEST))
    sign = 1.0 if direction == "worse" else -1.0
    if losses.binary and losses.weights is None:
        bits = part.bits()
        count, size = np.array([bits[inside[both]].sum()]), np.array([inside.sum()])
        high, n = int(bits.sum()), len(bits)
        up, down = (root_deviance(count, size, high, n, s)[0] for s in (sign, -sign))
    else:
        total, some = part.add_up(), losses.take(np.flatnonzero(inside)).add_up()
        up, down = (normal_t(total, some, s)[0] for s in (sign, -sign))
    if np.isfinite(up):
        return float(up)
    return -float(down) if np.isfinite(down) else 0.0


def score_beside(
    losses: Losses, cluster_ids: Ints | None, inside: Mask, others: list[Mask],
    *, direction: Direction,
) -> float:  # fmt: skip
    """Return z of a slice given other slices, how much it says beyond them.

    Where they leave at least 5 % of its rows, z is of those rows against the others left. Else the
    rows fall into strata by which of the others hold them; the z of the strata are added up with
    the weight sqrt(n (N - n) / N), n of a stratum's N rows being inside.
    Sources: Mantel and Haenszel, JNCI 22, 1959 (strata); Liptak, MTA Mat. Kut. Int. Kozl. 3, 1958.
    """
    free = _find_free(others, len(inside))
    if _leaves_enough(inside, free):
        return score_rows(losses, cluster_ids, inside & free, free & ~inside, direction=direction)
    stratum = _number_strata(others, len(inside))
    total = weight = 0.0
    for pattern in np.unique(stratum[inside]):
        rows = stratum == pattern
        n, all_n = int((rows & inside).sum()), int(rows.sum())
        information = n * (all_n - n) / all_n
        if information > 0:
            z = score_rows(losses, cluster_ids, rows & inside, rows & ~inside, direction=direction)
            total += np.sqrt(information) * z
            weight += information
    return float(total / np.sqrt(weight)) if weight > 0 else 0.0


def compare_beside(
    losses: Losses, cluster_ids: Ints | None, inside: Mask, others: list[Mask],
    *, direction: Direction,
) -> float:  # fmt: skip
    """Return the one-sided p of a slice given other slices, by the rows of `score_beside`.

    Of rows that the others leave it is the p of `compare_rows`.
    """
    free = _find_free(others, len(inside))
    if not inside.any() or _leaves_enough(inside, free):
        return compare_rows(losses, cluster_ids, inside & free, free & ~inside, direction=direction)
    return float(
        special.ndtr(-score_beside(losses, cluster_ids, inside, others, direction=direction))
    )


def _find_free(others: list[Mask], n: int) -> Mask:
    """Return (n,) the rows that no other slice holds."""
    held = np.zeros(n, np.bool_)
    for other in others:
        held |= other
    return ~held


def _number_strata(others: list[Mask], n: int) -> Ints:
    """Return (n,) numbers of the patterns of membership; 0 where no other slice holds a row."""
    stratum = np.zeros(n, np.int64)
    for number, other in enumerate(others):
        stratum |= other.astype(np.int64) << number
    return stratum


def _leaves_enough(inside: Mask, free: Mask) -> bool:
    return bool((inside & free).sum() >= max(_LEFT * inside.sum(), 1))
