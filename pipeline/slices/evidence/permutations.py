"""The largest statistic of a family when errors are permuted, in three ways.

Two-valued errors: only the rows of the rarer value are drawn. Other errors are shuffled over rows.
With clusters or weights the centered errors of each cluster keep or change their sign together (the
multiplier bootstrap: Chernozhukov, Chetverikov and Kato, Annals of Statistics 41, 2013).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.joint_counts import LANES, JointCounts
from pipeline.slices.counting.joint_kernels import JointKernels
from pipeline.slices.evidence.clusters import Clustered, center
from pipeline.slices.evidence.maxima import Maxima
from pipeline.slices.evidence.normal_t import normal_t
from pipeline.slices.evidence.root_deviance import largest_root_deviance

_BUDGET = 6e10  # additions that all permutations together may take
_FEWEST = 199
_ROWS_THREADED = 4_000_000  # of real-valued errors, 80 bytes a row and thread
_SMALL = 1e6  # additions of one permutation below which threads cost more than they save
Draw = Callable[[range], Floats]  # the largest statistic of each numbered permutation


@dataclass(frozen=True)
class Permuted:
    """What every permutation of a family needs.

    joint: counts the k slices among the rows, or among the cells where `draw_bits` and `draw_signs`
    have merged rows. sums: of the k slices, as observed. counted: (k,) the slices whose statistics
    enter the maximum. sign: 1 for worse, -1 for better.
    """

    cells: Cells
    joint: JointCounts
    sums: Sums
    counted: Mask
    sign: float
    seed: int

    def generators(self, numbers: range) -> list[np.random.Generator]:
        """Return one generator for each numbered permutation, so that any can be drawn alone."""
        return [np.random.default_rng([self.seed, number]) for number in numbers]


def draw_bits(family: Permuted) -> Draw:
    """Permute two-valued errors: draw as many rows as have the rarer value."""
    cells, joint = family.cells, family.joint
    losses = cells.losses
    n, size = len(losses.errors), family.sums.n[family.counted]
    high = int(losses.bits().sum())
    rarer = min(high, n - high)

    def draw(numbers: range) -> Floats:
        if rarer == 0:
            return np.full(len(numbers), -np.inf)
        generators = family.generators(numbers)
        if cells.rows is not None:  # one draw over the cells, whatever n
            taken = [
                rng.multivariate_hypergeometric(cells.rows[:, 0], rarer, method="marginals")
                for rng in generators
            ]
            counts = joint.add_up(np.stack(taken, axis=1))
        else:
            drawn = [_draw_rows(joint.kernels, rng, n, rarer) for rng in generators]
            counts = joint.count_rows(np.stack(drawn))
        counts = counts[family.counted]
        if rarer != high:
            counts = size[:, None] - counts
        return largest_root_deviance(counts, size, high, n, family.sign)

    return draw


def _draw_rows(
    kernels: JointKernels, rng: np.random.Generator, n: int, count: int
) -> NDArray[np.int32]:
    """Draw `count` of n row numbers without replacement: the first distinct ones of a stream."""
    out = np.empty(count, np.int32)
    expected = n * np.log(n / (n - count))
    step = int(expected + 4 * np.sqrt(expected) + 8)
    stream = rng.integers(0, n, step, dtype=np.uint32)
    while kernels.take_distinct(stream, n, out) < count:
        stream = np.concatenate([stream, rng.integers(0, n, step, dtype=np.uint32)])
    return out


def draw_errors(family: Permuted) -> Draw:
    """Permute real-valued errors over rows; the statistic is Welch's t on the normal scale."""
    losses, total = family.cells.losses, family.cells.total
    n = len(losses.errors)
    pairs = np.ascontiguousarray(losses.fill_channels()[:, 1:3])  # errors and their squares
    size = family.sums.n[family.counted]

    def draw(numbers: range) -> Floats:
        out = []
        for start in range(0, len(numbers), LANES // 2):
            generators = family.generators(numbers[start : start + LANES // 2])
            values = np.zeros((n, LANES), np.int64)
            for lane, rng in enumerate(generators):
                buckets = rng.integers(0, 256, n, dtype=np.uint8)
                stream = rng.integers(0, 1 << 32, n, dtype=np.uint32)
                family.joint.kernels.shuffle_pairs(pairs, buckets, stream, values, 2 * lane)
            added = family.joint.add_up(values)[family.counted]
            for lane in range(len(generators)):
                part = _to_sums(losses, size, added[:, 2 * lane], added[:, 2 * lane + 1])
                out.append(normal_t(total, part, family.sign).max(initial=-np.inf))
        return np.array(out)

    return draw


def _to_sums(losses: Losses, n: Ints, errors: Ints, squares: Ints) -> Sums:
    return losses.finish(np.stack([n, errors, squares, np.zeros_like(n)], axis=1))


def draw_signs(family: Permuted, cluster_ids: Ints | None, clustered: Clustered) -> Draw:
    """Keep or change the sign of each cluster's centered errors; all its rows together."""
    cells, known = family.cells, family.counted
    values = center(cells.losses)
    largest = float(np.abs(values).max(initial=0.0))
    scale = 2.0**40 / largest if largest > 0 else 1.0
    whole = np.rint(values * scale).astype(np.int64)  # (n,) integers: their sums know no order
    alone = np.arange(len(values))
    number = alone if cluster_ids is None else np.unique(cluster_ids, return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    share = family.sums.weight[known] / cells.total.weight
    cell = alone if cells.cell_of is None else cells.cell_of
    by_cluster = sparse.csr_array((whole, (cell, number)), shape=(cells.codes.shape[1], count))

    def draw(numbers: range) -> Floats:
        out = []
        for start in range(0, len(numbers), LANES):
            generators = family.generators(numbers[start : start + LANES])
            flips = np.stack([rng.integers(0, 2, count) * 2 - 1 for rng in generators], axis=1)
            rows = by_cluster @ flips
            inside = family.joint.add_up(rows)[known]
            excess = (inside - np.outer(share, rows.sum(axis=0))) / scale
            t = family.sign * excess / clustered.deviation[known, None]
            out.append(t.max(axis=0, initial=-np.inf))
        return np.concatenate(out)

    return draw


def open_maxima(
    permuted: Permuted, cluster_ids: Ints | None, clustered: Clustered | None, most: int
) -> Maxima:
    """Choose how to permute; fewer than asked, at least 199, where that would take minutes.

    clustered: of the observed slices, needed with clusters or weights.
    """
    losses, joint = permuted.cells.losses, permuted.joint
    added = joint.codes.shape[1]
    if clustered is not None:
        draw = draw_signs(permuted, cluster_ids, clustered)
    elif losses.binary:
        high = int(losses.bits().sum())
        added = added if permuted.cells.bits is None else min(high, added - high)
        draw = draw_bits(permuted)
    else:
        draw = draw_errors(permuted)
    one = (2 * len(joint.supersets) + 10) * max(added, 1)
    made = min(most, max(_FEWEST, int(_BUDGET / one)))
    large = clustered is None and not losses.binary and added > _ROWS_THREADED
    return Maxima(draw, most=made, threaded=one > _SMALL and not large)
