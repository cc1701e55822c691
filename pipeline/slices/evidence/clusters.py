"""Rows that belong together (the crops of one image): tests that count clusters, not rows."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Bytes, Floats, Ints, Mask
from pipeline.slices.counting.cell_index import WidenedSet, index_cells
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.layout import Layout
from pipeline.slices.options import Direction
from pipeline.slices.ordered.widen import list_holders, pick_run_kernels
from pipeline.slices.slice_ids import SliceIds


@dataclass(frozen=True)
class Clustered:
    """k slices' excess error sums with their cluster-robust standard errors."""

    excess: Floats  # (k,) weighted error sum minus what all rows' mean would give
    deviation: Floats  # (k,) its standard error under the null, 0 where unknown
    clusters: Floats  # (k,) clusters with rows in the slice


@dataclass(frozen=True)
class _ClusterSums:
    """The n rows sorted by cluster, and what all of them say about the variance of errors."""

    order: Ints  # (n,) the rows, in their clusters' order
    starts: Ints  # (c + 1,) where each cluster begins there
    values: Floats  # (n,) centered errors, sorted
    weights: Floats  # (n,) sorted
    totals: Floats  # (c,) each cluster's centered errors
    sizes: Floats  # (c,) each cluster's weight

    def standard_errors(self, share: Floats, moments: Floats, squares: Floats) -> Floats:
        """Return (k,) standard errors of the excess of slices with the shares f of all weight.

        moments: (k, 5), see `count_clusters`. squares: (k,) sums of squared weights. The excess is
        the sum over clusters g of a_g - f t_g, with a_g the cluster's centered errors inside the
        slice and t_g all of them. Its variance is the sum of squares (the score form of the
        cluster-robust variance: Liang and Zeger, Biometrika 73, 1986). That is made of the errors a
        slice happens to have: where all its rows have the usual one it is close to 0, and what
        chance does often would pass for evidence. So it is at least the variance under the null:
        rows with the variance of all, two of a cluster as alike as two of a cluster are in all rows
        (the moment estimator of the intraclass correlation, no less than 0).
        """
        same = float((self.sizes**2).sum())
        own = float((self.weights**2).sum())
        cluster_squares = float((self.totals**2).sum())
        row_squares = float((self.values**2).sum())
        robust = moments[:, 0] - 2 * share * moments[:, 1] + share**2 * cluster_squares
        by_cluster = moments[:, 3] - 2 * share * moments[:, 4] + share**2 * same
        by_row = squares * (1 - 2 * share) + share**2 * own
        variance = row_squares / own
        pairs = (same - own) * variance
        correlation = (
            min(max((cluster_squares - row_squares) / pairs, 0.0), 1.0) if pairs > 0 else 0.0
        )
        least = variance * ((1 - correlation) * by_row + correlation * by_cluster)
        scale = len(self.totals) / max(len(self.totals) - 1, 1)
        deviation: Floats = np.sqrt(np.maximum(np.maximum(robust * scale, least), 0.0))
        return deviation


def center(losses: Losses) -> Floats:
    """Return (n,) weighted errors minus the weighted mean; they sum to 0."""
    weights = _weigh(losses)
    mean = float((weights * losses.errors).sum() / weights.sum())
    return weights * (losses.errors - mean)


def _weigh(losses: Losses) -> Floats:
    return np.ones(len(losses.errors)) if losses.weights is None else losses.weights


def _sort_clusters(losses: Losses, cluster_ids: Ints) -> _ClusterSums:
    order = np.argsort(cluster_ids, kind="stable")
    starts = np.concatenate([np.flatnonzero(np.diff(cluster_ids[order], prepend=-1)), [len(order)]])
    values, weights = center(losses)[order], _weigh(losses)[order]
    totals, sizes = (np.add.reduceat(part, starts[:-1]) for part in (values, weights))
    return _ClusterSums(order, starts, values, weights, totals, sizes)


def measure_slices(
    cells: Cells, codes: Bytes, cluster_ids: Ints, kernels: Kernels,
    slices: SliceIds, sums: Sums,
) -> Clustered:  # fmt: skip
    """Measure the excess of each slice and its standard error from the sums of clusters.

    codes: (m, n) codes and cluster_ids: (n,) cluster numbers of the rows, in their canonical order.
    """
    rows = _sort_clusters(cells.losses, cluster_ids)
    ordered = np.ascontiguousarray(codes[:, rows.order])
    moments = np.zeros((len(slices), 5))
    index = index_cells(cells.layout, slices)
    for chunk, members, at, widened in zip(
        index.chunks, index.slices, index.cells, index.with_runs, strict=True
    ):
        for one in widened:
            moments[one.slices] = _count_runs(cells.layout, ordered, rows, kernels, one)
        sizes = np.prod(cells.layout.dims[chunk.sets], axis=1)
        for attributes, begin, size in zip(chunk.sets, chunk.begins, sizes, strict=True):
            mine = (at >= begin) & (at < begin + size)
            if not mine.any():
                continue
            counted = kernels.count_clusters(
                ordered, rows.values, rows.weights, rows.starts, rows.totals, rows.sizes,
                cells.layout.dims, attributes, int(size),
            )  # fmt: skip
            moments[members[mine]] = counted[at[mine] - begin]
    weight_unit = cells.losses.weight_unit
    share = sums.weight / cells.total.weight
    mean = cells.total.total / cells.total.weight
    return Clustered(
        excess=(sums.total - mean * sums.weight) / weight_unit,
        deviation=rows.standard_errors(share, moments, sums.weight2 / weight_unit**2),
        clusters=moments[:, 2],
    )


def _count_runs(
    layout: Layout, codes: Bytes, rows: _ClusterSums, kernels: Kernels, widened: WidenedSet
) -> Floats:
    """Return the moments of the slices of one set with runs: squares of sums do not add up.

    codes: (m, n) sorted by cluster.
    """
    shape = [int(layout.dims[a]) for a in widened.attributes]
    starts, holders = list_holders(
        shape, layout.level_one[widened.attributes].tolist(),
        [layout.runs[a] for a in widened.attributes], widened.cells,
    )  # fmt: skip
    key = np.ravel_multi_index(tuple(codes[a] for a in widened.attributes), shape)
    return np.asarray(
        pick_run_kernels(kernels).count_cluster_runs(
            key, rows.values, rows.weights, rows.starts, rows.totals, rows.sizes,
            starts, holders, len(widened.cells),
        )
    )  # fmt: skip


def compute_clustered_p(measured: Clustered, *, direction: Direction) -> Floats:
    """Return one-sided p of each slice, by t with one degree of freedom less than its clusters."""
    sign = 1.0 if direction == "worse" else -1.0
    known = (measured.deviation > 0) & (measured.clusters > 1)
    t = np.divide(sign * measured.excess, measured.deviation, out=np.zeros(len(known)), where=known)
    p = special.stdtr(np.maximum(measured.clusters - 1.0, 1.0), -t)
    return np.where(known, p, 1.0)


def compare_clusters(
    losses: Losses, cluster_ids: Ints, inside: Mask, *, direction: Direction
) -> float:
    """Test one set of rows against the others, counting clusters; their numbers may have gaps."""
    rows = _sort_clusters(losses, cluster_ids)
    chosen = inside[rows.order]
    part = rows.weights * chosen
    a = np.add.reduceat(rows.values * chosen, rows.starts[:-1])
    w = np.add.reduceat(part, rows.starts[:-1])
    sums = [a @ a, a @ rows.totals, (w > 0).sum(), w @ w, w @ rows.sizes]
    moments = np.array([sums], np.float64)
    share = np.array([part.sum() / rows.weights.sum()])
    clustered = Clustered(
        excess=np.array([a.sum()]),
        deviation=rows.standard_errors(share, moments, np.array([part @ part])),
        clusters=moments[:, 2],
    )
    return float(compute_clustered_p(clustered, direction=direction)[0])
