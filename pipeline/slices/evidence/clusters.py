"""Rows that belong together (the crops of one image): tests that count groups, not rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.slices.counting.cell_index import place_slices
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.counting.slice_score import Direction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Clustered:
    """k slices' excess error sums with their group-robust standard errors."""

    excess: Floats  # (k,) weighted error sum minus what all rows' mean would give
    deviation: Floats  # (k,) its standard error under the null, 0 where unknown
    groups: Floats  # (k,) groups with rows in the slice


@dataclass(frozen=True)
class _Grouped:
    """The n rows sorted by group, and what all of them say about the variance of errors."""

    order: Ints  # (n,) the rows, in their groups' order
    starts: Ints  # (g + 1,) where each group begins there
    values: Floats  # (n,) centered errors, sorted
    weights: Floats  # (n,) sorted
    totals: Floats  # (g,) each group's centered errors
    sizes: Floats  # (g,) each group's weight

    def deviate(self, share: Floats, moments: Floats, squares: Floats) -> Floats:
        """Return (k,) standard errors of the excess of slices with the shares f of all weight.

        moments: (k, 5), see `count_clusters`. squares: (k,) sums of squared weights. The excess is
        the sum over groups g of a_g - f t_g, with a_g the group's centered errors inside the slice
        and t_g all of them. Its variance is the sum of squares (the score form of the
        cluster-robust variance: Liang and Zeger, Biometrika 73, 1986). That is made of the errors a
        slice happens to have: where all its rows have the usual one it is close to 0, and what
        chance does often would look like evidence. So it is at least the variance under the null:
        rows with the variance of all, two of a group as alike as two of a group are in all rows
        (the moment estimator of the intraclass correlation, no less than 0).
        """
        same = float((self.sizes**2).sum())
        own = float((self.weights**2).sum())
        seen = float((self.totals**2).sum())
        alone = float((self.values**2).sum())
        robust = moments[:, 0] - 2 * share * moments[:, 1] + share**2 * seen
        by_group = moments[:, 3] - 2 * share * moments[:, 4] + share**2 * same
        by_row = squares * (1 - 2 * share) + share**2 * own
        spread = alone / own
        pairs = (same - own) * spread
        alike = min(max((seen - alone) / pairs, 0.0), 1.0) if pairs > 0 else 0.0
        least = spread * ((1 - alike) * by_row + alike * by_group)
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


def _sort_groups(losses: Losses, groups: Ints) -> _Grouped:
    order = np.argsort(groups, kind="stable")
    starts = np.concatenate([np.flatnonzero(np.diff(groups[order], prepend=-1)), [len(order)]])
    values, weights = center(losses)[order], _weigh(losses)[order]
    totals, sizes = (np.add.reduceat(part, starts[:-1]) for part in (values, weights))
    return _Grouped(order, starts, values, weights, totals, sizes)


def measure_slices(
    cells: Cells, codes: NDArray[np.uint8], groups: Ints, kernels: Kernels,
    slices: NDArray[np.int32], sums: Sums,
) -> Clustered:  # fmt: skip
    """Measure the excess of each slice and its standard error from the sums of groups.

    codes: (m, n) codes and groups: (n,) group numbers of the rows, in their canonical order.
    """
    rows = _sort_groups(cells.losses, groups)
    ordered = np.ascontiguousarray(codes[:, rows.order])
    moments = np.zeros((len(slices), 5))
    places = place_slices(cells.layout, slices)
    for chunk, members, at in zip(places.chunks, places.slices, places.cells, strict=True):
        sizes = np.prod(cells.layout.dims[chunk.sets], axis=1)
        for attributes, begin, size in zip(chunk.sets, chunk.begins, sizes, strict=True):
            mine = (at >= begin) & (at < begin + size)
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
        deviation=rows.deviate(share, moments, sums.weight2 / weight_unit**2),
        groups=moments[:, 2],
    )


def compute_clustered_p(found: Clustered, *, direction: Direction) -> Floats:
    """Return one-sided p of each slice, by t with one degree of freedom less than its groups."""
    sign = 1.0 if direction == "worse" else -1.0
    known = (found.deviation > 0) & (found.groups > 1)
    t = np.divide(sign * found.excess, found.deviation, out=np.zeros(len(known)), where=known)
    p = special.stdtr(np.maximum(found.groups - 1.0, 1.0), -t)
    return np.where(known, p, 1.0)


def compare_groups(
    losses: Losses, groups: Ints, inside: NDArray[np.bool_], *, direction: Direction
) -> float:
    """Test one set of rows against the others, counting groups; their numbers may have gaps."""
    rows = _sort_groups(losses, groups)
    chosen = inside[rows.order]
    part = rows.weights * chosen
    a = np.add.reduceat(rows.values * chosen, rows.starts[:-1])
    w = np.add.reduceat(part, rows.starts[:-1])
    sums = [a @ a, a @ rows.totals, (w > 0).sum(), w @ w, w @ rows.sizes]
    moments = np.array([sums], np.float64)
    share = np.array([part.sum() / rows.weights.sum()])
    clustered = Clustered(
        excess=np.array([a.sum()]),
        deviation=rows.deviate(share, moments, np.array([part @ part])),
        groups=moments[:, 2],
    )
    return float(compute_clustered_p(clustered, direction=direction)[0])
