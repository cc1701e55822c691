"""The largest statistic of a family when errors are permuted, in three ways.

Two-valued errors: only the rows of the rarer value are drawn. Other errors are shuffled over rows.
With clusters or weights the centered errors of each cluster keep or change their sign together (the
multiplier bootstrap: Chernozhukov, Chetverikov and Kato, Annals of Statistics 41, 2013).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.counting.joint_counts import LANES, JointCounts
from pipeline.slices.counting.joint_kernels import JointKernels
from pipeline.slices.evidence.clusters import Clustered, center
from pipeline.slices.evidence.maxima import Maxima
from pipeline.slices.evidence.normal_t import largest_normal_t
from pipeline.slices.evidence.packed_errors import PackedErrors, pack_errors
from pipeline.slices.evidence.root_deviance import largest_root_deviance

_BUDGET, _FEWEST = (
    6e10,
    199,
)  # additions that all permutations together may take, but at least these
_DECIDE_BUDGET, _DECIDE_FEWEST = 1e9, 99  # the same of those that one decision may take
_DECIDE_MOST = 399
_ROWS_PACKED = (
    100_000  # real-valued errors from which eight permutations share an order of the rows
)
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
    """Permute real-valued errors over rows; the statistic is Welch's t on the normal scale.

    Of 100,000 rows or more, eight permutations share one random order of the rows (`draw_eight`).
    """
    losses = family.cells.losses

    @functools.cache
    def prepare() -> Draw:
        packed = pack_errors(losses) if len(losses.errors) >= _ROWS_PACKED else None
        return draw_singly(family) if packed is None else draw_eight(family, packed)

    return lambda numbers: prepare()(numbers)  # often a decision needs none


def draw_singly(family: Permuted) -> Draw:
    """Shuffle errors and their squares, exactly and in an order of its own each time."""
    losses, total = family.cells.losses, family.cells.total
    n = len(losses.errors)
    pairs = np.ascontiguousarray(losses.fill_channels()[:, 1:3])  # errors and their squares
    size = family.sums.n[family.counted]
    scale = np.float64(2.0**-losses.shift)

    def draw(numbers: range) -> Floats:
        out = []
        for start in range(0, len(numbers), LANES // 2):
            generators = family.generators(numbers[start : start + LANES // 2])
            values = np.zeros((n, LANES), np.int64)
            for lane, rng in enumerate(generators):
                buckets = rng.integers(0, 256, n, dtype=np.uint8)
                stream = rng.integers(0, 1 << 32, n, dtype=np.uint32)
                family.joint.kernels.shuffle_pairs(pairs, buckets, stream, values, 2 * lane)
            added = family.joint.add_up(values)[family.counted][:, : 2 * len(generators)]
            errors: Floats = added[:, 0::2] * scale * losses.unit
            squares: Floats = added[:, 1::2] * scale * losses.unit**2
            out.append(largest_normal_t(total, size, errors, squares, family.sign))
        return np.concatenate(out)

    return draw


def draw_eight(family: Permuted, packed: PackedErrors) -> Draw:
    """Shuffle packed errors; eight permutations share a random order, each begins elsewhere in it.

    The errors first get one random order for good. Permutation 8 b + l of it is a random order b of
    the rows, in which place i has error i + l n / 8. Each is a uniformly random permutation; two of
    the eight are as alike as the errors of a random order n / 8 places apart: their correlation is
    about 1 / sqrt(n).
    """
    n = len(packed.values)
    step = n // LANES
    first = np.random.default_rng([family.seed, 0, 1]).permutation(packed.values)
    values = np.concatenate([first, first[: (LANES - 1) * step]])
    size = family.sums.n[family.counted]
    errors, squares = (part.sum() for part in packed.unpack(packed.values))
    rows = float(n)
    total = Sums(*(np.array([x]) for x in (n, rows, rows, errors, squares, 0.0)))

    def draw(numbers: range) -> Floats:
        first, last = numbers.start // LANES, -(-numbers.stop // LANES)
        out = []
        for rng in family.generators(range(first, last)):
            lanes = np.empty((n, LANES), np.int64)
            buckets = rng.integers(0, 256, n, dtype=np.uint8)
            stream = rng.integers(0, 1 << 32, n, dtype=np.uint32)
            family.joint.kernels.shuffle_lanes(values, buckets, stream, step, lanes)
            sums = family.joint.add_up(lanes)[family.counted]
            out.append(largest_normal_t(total, size, *packed.unpack(sums), family.sign))
        start = numbers.start - first * LANES
        return np.concatenate(out)[start : start + len(numbers)]

    return draw


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

    A decision takes as many as a p where one permutation is quick, else 99 to 399. clustered: of
    the observed slices, needed with clusters or weights.
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
    decisive = made
    if one > _SMALL:
        decisive = min(made, _DECIDE_MOST, max(_DECIDE_FEWEST, int(_DECIDE_BUDGET / one)))
    large = clustered is None and not losses.binary and added > _ROWS_THREADED
    return Maxima(draw, most=made, decisive=decisive, threaded=one > _SMALL and not large)
