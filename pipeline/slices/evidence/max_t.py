"""Family-wise p-values: how often the largest statistic of a family arises by chance.

Max-T: Westfall and Young, Resampling-Based Multiple Testing, 1993. Errors are permuted over rows;
with clusters or weights the centered errors of each cluster change their sign together instead
(the multiplier bootstrap: Chernozhukov, Chetverikov and Kato, Annals of Statistics 41, 2013).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from pipeline.files.core_count import count_cores
from pipeline.slices.array_types import Array, Bytes, Floats, Ints, SliceIds
from pipeline.slices.counting.cell_index import CellIndex, index_cells
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.evidence.clusters import Clustered, center
from pipeline.slices.evidence.significance import effective_size, mean_and_variance, subtract_sums
from pipeline.slices.options import Direction

Generators = Sequence[np.random.Generator]
Draw = Callable[[Generators], list[Floats]]  # statistics of one permutation for each generator
_FEWEST = 199
_BUDGET = 2e11  # additions that all permutations together may take
_CHANNELS = 3  # sums that one pass over the rows adds up; the fourth channel is a maximum
_TOGETHER = 30  # permutations drawn at a time


@dataclass(frozen=True)
class FamilyWise:
    """Family-wise p of the chosen slices, and from how many permutations."""

    p: Floats
    permutations: int


@dataclass(frozen=True)
class _Family:
    """The slices of a family, the cells that count them, and the single rows that are counted."""

    cells: Cells
    codes: Bytes  # (m, n)
    kernels: Kernels
    index: CellIndex
    sums: Sums  # of the slices, as observed
    sign: float  # 1 for worse, -1 for better

    def count(self, codes: Bytes, rows: Ints | None) -> Ints:
        """Count other rows (bits all 0, or channels) in the slices; returns (k, K)."""
        width = 2 if rows is None else rows.shape[1]
        out = np.zeros((len(self.sums.n), width), np.int64)
        bits = np.zeros(codes.shape[1], np.uint8)
        index = self.index
        for chunk, members, at in zip(index.chunks, index.slices, index.cells, strict=True):
            where = (
                self.cells.layout.dims, chunk.prefixes, chunk.first, chunk.stop, chunk.starts,
                chunk.cells,
            )  # fmt: skip
            if rows is None:
                hist = self.kernels.count_bits(codes, bits, *where)
            else:
                hist = self.kernels.count_channels(codes, rows, *where)
            out[members] = hist[at]
        return out


def compute_family_p(
    cells: Cells,
    codes: Bytes,
    kernels: Kernels,
    *,
    slices: SliceIds,
    sums: Sums,
    chosen: Ints,
    direction: Direction,
    permutations: int,
    seed: int,
    cluster_ids: Ints | None = None,
    clustered: Clustered | None = None,
) -> FamilyWise:
    """Return the share of permutations whose largest T reaches that of each chosen slice.

    cells: the rows (merged or not); codes: (m, n) codes of the single rows, in canonical order, as
    the losses of `cells` are. chosen: positions in `slices`. clustered: needed with cluster_ids or
    weights. Fewer permutations, at least 199, are made where all of them would take minutes.
    """
    index = index_cells(cells.layout, slices)
    sign = 1.0 if direction == "worse" else -1.0
    family = _Family(cells, codes, kernels, index, sums, sign)
    counted = len(cells.losses.errors)
    if clustered is not None:
        observed, draw = _multiply(family, cluster_ids, clustered)
    elif cells.losses.binary:
        observed, draw = _permute_bits(family)
        high = int(cells.losses.bits().sum())
        counted = min(high, counted - high) if cells.cell_of is None else cells.codes.shape[1]
    else:
        observed, draw = _permute_errors(family)
    affordable = int(_BUDGET / max(1, index.sets * counted))
    made = min(permutations, max(_FEWEST, affordable))

    def largest(start: int) -> list[float]:
        numbers = range(start, min(start + _TOGETHER, made))
        drawn = draw([np.random.default_rng([seed, number]) for number in numbers])
        return [float(statistics.max(initial=-np.inf)) for statistics in drawn]

    # Each permutation has its own seed, so the number of threads changes nothing.
    with ThreadPoolExecutor(count_cores()) as pool:
        batches = list(pool.map(largest, range(0, made, _TOGETHER)))
    maxima = np.sort(np.concatenate([[], *batches]))
    reached = made - np.searchsorted(maxima, observed[chosen] - 1e-9, side="left")
    return FamilyWise(np.divide(1.0 + reached, 1.0 + made, dtype=np.float64), made)


def _permute_bits(family: _Family) -> tuple[Floats, Draw]:
    """Two-valued errors: only the rows of the rarer value are drawn and counted."""
    cells, sums, sign = family.cells, family.sums, family.sign
    losses = cells.losses
    n, size = len(losses.errors), sums.n
    high = int(losses.bits().sum())
    observed = np.rint((sums.total - losses.low * size) / max(losses.high - losses.low, 1e-300))
    rarer = min(high, n - high)
    cell_sizes = None if cells.rows is None else cells.rows[:, 0]

    def draw(rng: np.random.Generator) -> Floats:
        if cell_sizes is not None:  # one draw over the cells, whatever n
            taken = rng.multivariate_hypergeometric(cell_sizes, rarer, method="marginals")
            rows = np.zeros((len(cell_sizes), 4), np.int64)
            rows[:, 0] = taken
            count = family.count(cells.codes, rows)[:, 0]
        else:
            drawn = rng.choice(n, rarer, replace=False, shuffle=False)
            count = family.count(np.ascontiguousarray(family.codes[:, drawn]), None)[:, 0]
        return _deviance(count if rarer == high else size - count, size, high, n, sign)

    return _deviance(observed, size, high, n, sign), _one_by_one(draw)


def _one_by_one(draw: Callable[[np.random.Generator], Floats]) -> Draw:
    return lambda generators: [draw(rng) for rng in generators]


def _deviance(count: Array, size: Ints, high: int, n: int, sign: float) -> Floats:
    """Signed root of the likelihood ratio of a 2 x 2 table: near normal also for small counts."""
    expected = size * (high / n)
    excess = sign * (count - expected)
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


def _permute_errors(family: _Family) -> tuple[Floats, Draw]:
    """Real-valued errors change rows; the statistic is Welch's t on the normal scale."""
    losses, total = family.cells.losses, family.cells.total
    channels = losses.fill_channels()

    def draw(rng: np.random.Generator) -> Floats:
        rows = channels[rng.permutation(len(channels))]
        counted = family.count(family.codes, rows)
        return _normal_t(total, losses.finish(counted), family.sign)

    return _normal_t(total, family.sums, family.sign), _one_by_one(draw)


def _normal_t(total: Sums, part: Sums, sign: float) -> Floats:
    """Welch's t, brought to the normal scale so that small slices' heavy tails do not dominate.

    Source: Wallace, Annals of Mathematical Statistics 30, 1959 (bounds for t).
    """
    complement = subtract_sums(total, part)
    (mean, variance), (complement_mean, complement_variance) = (
        mean_and_variance(part),
        mean_and_variance(complement),
    )
    n, complement_n = effective_size(part), effective_size(complement)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = variance / n, complement_variance / complement_n
        t = sign * (mean - complement_mean) / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a * a / (n - 1.0) + b * b / (complement_n - 1.0))
        z = np.sqrt(freedom * np.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return np.where(np.isfinite(z) & (t > 0), z, -np.inf)


def _multiply(
    family: _Family, cluster_ids: Ints | None, clustered: Clustered
) -> tuple[Floats, Draw]:
    """Clusters or weights: each cluster's centered errors keep or change their sign."""
    cells = family.cells
    values = center(cells.losses)
    scale = 2.0**40 / max(float(np.abs(values).max(initial=0.0)), 1e-300)
    whole = np.rint(values * scale).astype(np.int64)  # (n,) integers: their sums know no order
    number = (
        np.arange(len(values))
        if cluster_ids is None
        else np.unique(cluster_ids, return_inverse=True)[1]
    )
    count = int(number.max(initial=-1)) + 1
    share = family.sums.weight / cells.total.weight
    known = clustered.deviation > 0
    cell = np.arange(len(values)) if cells.cell_of is None else cells.cell_of
    by_cluster = sparse.csr_array((whole, (cell, number)), shape=(cells.codes.shape[1], count))

    def statistic(excess: Floats) -> Floats:
        t = np.full(len(known), -np.inf)
        t[known] = family.sign * excess[known] / clustered.deviation[known]
        return t

    def draw(generators: Generators) -> list[Floats]:
        made = []
        for start in range(0, len(generators), _CHANNELS):
            some = generators[start : start + _CHANNELS]
            flips = np.stack([rng.integers(0, 2, count) * 2 - 1 for rng in some], axis=1)
            rows = np.zeros((cells.codes.shape[1], _CHANNELS + 1), np.int64)
            rows[:, : len(some)] = by_cluster @ flips
            inside = family.count(cells.codes, rows)[:, : len(some)]
            excess = (inside - np.outer(share, rows[:, : len(some)].sum(axis=0))) / scale
            made += [statistic(column) for column in excess.T]
        return made

    return statistic(clustered.excess), draw
