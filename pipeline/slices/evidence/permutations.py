"""Permutations of a family: the largest statistic of all its slices when errors change rows.

Two-valued errors: only the rows of the rarer value are drawn. Other errors are shuffled over rows.
With clusters or weights the centered errors of each cluster keep or change their sign together (the
multiplier bootstrap: Chernozhukov, Chetverikov and Kato, Annals of Statistics 41, 2013).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.joint_kernels import JointKernels
from pipeline.slices.counting.supersets import Superset, plan_supersets
from pipeline.slices.evidence.clusters import Clustered, center
from pipeline.slices.evidence.maxima import Maxima
from pipeline.slices.evidence.normal_t import normal_t
from pipeline.slices.evidence.root_deviance import largest_root_deviance

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LANES = 8  # integers that one pass over the rows adds up
_TOGETHER = 16  # permutations a thread makes at a time
_BUDGET = 4e10  # additions that all permutations together may take, each about a nanosecond
_FEWEST = 199
_KEPT_BYTES = 4e8  # of cell numbers; beyond, they are computed again each time


@dataclass(frozen=True)
class Permuted:
    """A family whose slices are counted again and again for other errors of the same rows."""

    cells: Cells  # their codes and the layout
    codes: Array  # (m, r) codes of what is added: single rows, or cells
    sums: Sums  # of the k slices, as observed
    sign: float  # 1 for worse, -1 for better
    kernels: JointKernels
    supersets: list[Superset]
    _keys: dict[int, Array] = field(default_factory=dict)

    def key(self, place: int) -> Array:
        """Return (r,) the cell of each row in one superset."""
        if place in self._keys:
            return self._keys[place]
        superset = self.supersets[place]
        attributes = np.array(superset.attributes, np.int64)
        key = self.kernels.number_cells(self.codes, self.cells.layout.dims, attributes)
        if superset.cells <= 1 << 16:
            key = key.astype(np.uint16)
        if key.nbytes * len(self.supersets) <= _KEPT_BYTES:
            self._keys[place] = key
        return key

    def count(self, fill: Callable[[Array, int], Array], lanes: int) -> Ints:
        """Return (k, lanes) sums over the slices. fill: adds rows up by (cell numbers, cells)."""
        out = np.zeros((len(self.sums.n), lanes), np.int64)
        for place, superset in enumerate(self.supersets):
            sets = [fill(self.key(place), superset.cells)]
            for step in superset.sums:
                sets.append(self.kernels.sum_axis(sets[step.source], step.outer, step.size, step.inner))
            for number, members, cells in superset.reads:
                out[members] = sets[number][cells]
        return out


def permute_bits(family: Permuted, *, seed: int) -> Callable[[range], Floats]:
    """Two-valued errors: draw as many rows as have the rarer value."""
    losses = family.cells.losses
    n, size = len(losses.errors), family.sums.n
    high = int(losses.bits().sum())
    rarer = min(high, n - high)
    cell_sizes = None if family.cells.rows is None else family.cells.rows[:, 0]

    def draw(numbers: range) -> Floats:
        if rarer == 0:
            return np.full(len(numbers), -np.inf)
        generators = [np.random.default_rng([seed, number]) for number in numbers]
        if cell_sizes is not None:  # one draw over the cells, whatever n
            taken = [rng.multivariate_hypergeometric(cell_sizes, rarer, method="marginals") for rng in generators]
            counts = _add_lanes(family, taken, len(cell_sizes))
        else:
            rows = np.stack([_draw_rows(family.kernels, rng, n, rarer) for rng in generators])
            counts = family.count(lambda key, cells: family.kernels.count_drawn(key, rows, cells), len(rows))
        if rarer != high:
            counts = size[:, None] - counts
        return largest_root_deviance(counts, size, high, n, family.sign)

    return draw


def _draw_rows(kernels: JointKernels, rng: np.random.Generator, n: int, count: int) -> NDArray[np.int32]:
    """Draw `count` of n row numbers without replacement: the first distinct ones of a stream."""
    out = np.empty(count, np.int32)
    expected = n * np.log(n / (n - count)) if count < n else n
    step = int(expected + 4 * np.sqrt(expected) + 8)
    stream = rng.integers(0, n, step, dtype=np.uint32)
    while kernels.take_distinct(stream, n, out) < count:
        stream = np.concatenate([stream, rng.integers(0, n, step, dtype=np.uint32)])
    return out


def _add_lanes(family: Permuted, columns: list[Ints], rows: int) -> Ints:
    """Return (k, R) sums of R columns of (rows,) integers, eight in a pass over the rows."""
    parts = []
    for start in range(0, len(columns), _LANES):
        some = columns[start : start + _LANES]
        values = np.zeros((rows, _LANES), np.int64)
        for lane, column in enumerate(some):
            values[:, lane] = column
        parts.append(_count_lanes(family, values)[:, : len(some)])
    return np.concatenate(parts, axis=1)


def _count_lanes(family: Permuted, values: Ints) -> Ints:
    return family.count(lambda key, cells: family.kernels.add_lanes(key, values, cells), _LANES)


def permute_errors(family: Permuted, *, seed: int) -> Callable[[range], Floats]:
    """Real-valued errors change rows; the statistic is Welch's t on the normal scale."""
    losses, total = family.cells.losses, family.cells.total
    n = len(losses.errors)
    pairs = np.ascontiguousarray(losses.fill_channels()[:, 1:3])  # sums and squares

    def draw(numbers: range) -> Floats:
        out = []
        for start in range(0, len(numbers), _LANES // 2):
            some = numbers[start : start + _LANES // 2]
            values = np.zeros((n, _LANES), np.int64)
            for lane, number in enumerate(some):
                rng = np.random.default_rng([seed, number])
                bucket = rng.integers(0, 256, n, dtype=np.uint8)
                stream = rng.integers(0, 1 << 32, n, dtype=np.uint32)
                family.kernels.shuffle_pairs(pairs, bucket, stream, values, 2 * lane)
            counted = _count_lanes(family, values)
            for lane in range(len(some)):
                part = _to_sums(losses, family.sums.n, counted[:, 2 * lane : 2 * lane + 2])
                out.append(normal_t(total, part, family.sign).max(initial=-np.inf))
        return np.array(out)

    return draw


def _to_sums(losses: Losses, n: Ints, pairs: Ints) -> Sums:
    """Return the Sums of slices from their (k,) rows and (k, 2) fixed-point sums and squares."""
    return losses.finish(np.stack([n, pairs[:, 0], pairs[:, 1], np.zeros_like(n)], axis=1))


def permute_signs(
    family: Permuted, clusters: Ints | None, clustered: Clustered, *, seed: int
) -> Callable[[range], Floats]:
    """Clusters or weights: each cluster's centered errors keep or change their sign."""
    cells = family.cells
    values = center(cells.losses)
    scale = 2.0**40 / max(float(np.abs(values).max(initial=0.0)), 1e-300)
    whole = np.rint(values * scale).astype(np.int64)  # (n,) integers: their sums know no order
    number = np.arange(len(values)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    share = family.sums.weight / cells.total.weight
    known = clustered.deviation > 0
    cell = np.arange(len(values)) if cells.cell_of is None else cells.cell_of
    by_cluster = sparse.csr_array((whole, (cell, number)), shape=(cells.codes.shape[1], count))

    def draw(numbers: range) -> Floats:
        made: list[float] = []
        for start in range(0, len(numbers), _LANES):
            some = numbers[start : start + _LANES]
            flips = np.zeros((count, _LANES), np.int64)
            for lane, number_ in enumerate(some):
                flips[:, lane] = np.random.default_rng([seed, number_]).integers(0, 2, count) * 2 - 1
            rows = np.ascontiguousarray(by_cluster @ flips)
            excess = (_count_lanes(family, rows) - np.outer(share, rows.sum(axis=0))) / scale
            t = family.sign * excess[known] / clustered.deviation[known, None]
            made += t.max(axis=0, initial=-np.inf)[: len(some)].tolist()
        return np.array(made)

    return draw


def open_maxima(
    cells: Cells, codes: Array, kernels: JointKernels, *, slices: NDArray[np.int32], sums: Sums,
    sign: float, permutations: int, seed: int, clusters: Ints | None, clustered: Clustered | None,
) -> Maxima:  # fmt: skip
    """Prepare the maxima of a family; nothing is drawn until something is asked.

    cells: the rows (grouped or not); codes: (m, n) codes of the single rows, as the losses of
    `cells` are. clustered: needed with clusters or weights. Fewer permutations than asked, at least
    199, are made where they would take minutes.
    """
    binary = cells.losses.binary and cells.losses.weights is None
    if clustered is not None or (binary and cells.cell_of is not None):
        codes, lanes = cells.codes, 1
        added = codes.shape[1]
    elif binary:
        high = int(cells.losses.bits().sum())
        added, lanes = min(high, codes.shape[1] - high), 1
    else:
        added, lanes = codes.shape[1], 2
    supersets = plan_supersets(cells.layout, slices, rows=max(added, 1))
    family = Permuted(cells, codes, sums, sign, kernels, supersets)
    if clustered is not None:
        draw = permute_signs(family, clusters, clustered, seed=seed)
    elif binary:
        draw = permute_bits(family, seed=seed)
    else:
        draw = permute_errors(family, seed=seed)
    one = max(1, (len(supersets) * lanes + 10) * added)
    most = min(permutations, max(_FEWEST, int(_BUDGET / one)))
    return Maxima(draw, most=most, together=_TOGETHER)
