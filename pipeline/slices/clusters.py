"""Rows that belong together (the crops of one image): tests that count groups, not rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.slices.cells import Cells
from pipeline.slices.counting import Kernels
from pipeline.slices.losses import Losses, Sums
from pipeline.slices.places import place_slices
from pipeline.slices.score import Direction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Clustered:
    """k slices' excess error sums with their group-robust standard errors."""

    excess: Floats  # (k,) weighted error sum minus what all rows' mean would give
    deviation: Floats  # (k,) its standard error under the null, 0 where unknown
    groups: Floats  # (k,) groups with rows in the slice


def center(losses: Losses) -> Floats:
    """Return (n,) weighted errors minus the weighted mean; they sum to 0."""
    weights = np.ones(len(losses.errors)) if losses.weights is None else losses.weights
    mean = float((weights * losses.errors).sum() / weights.sum())
    return weights * (losses.errors - mean)


def measure_slices(
    cells: Cells, codes: NDArray[np.uint8], groups: Ints, kernels: Kernels,
    slices: NDArray[np.int32], sums: Sums,
) -> Clustered:  # fmt: skip
    """Measure the excess of each slice and its standard error from the sums of groups.

    codes: (m, n) codes and groups: (n,) group numbers of the rows, in their canonical order.
    The excess of a slice with the share f of all weight is the sum over groups g of a_g - f t_g,
    with a_g the group's centered errors inside the slice and t_g all of them. Its variance is the
    sum of squares (the score form of the cluster-robust variance: Liang and Zeger, Biometrika 73,
    1986).
    """
    order = np.argsort(groups, kind="stable")
    values = center(cells.losses)[order]
    starts = np.concatenate([np.flatnonzero(np.diff(groups[order], prepend=-1)), [len(order)]])
    totals = np.add.reduceat(values, starts[:-1])
    ordered = np.ascontiguousarray(codes[:, order])
    moments = np.zeros((len(slices), 3))
    places = place_slices(cells.layout, slices)
    for chunk, rows, at in zip(places.chunks, places.slices, places.cells, strict=True):
        sizes = np.prod(cells.layout.dims[chunk.sets], axis=1)
        for attributes, begin, size in zip(chunk.sets, chunk.begins, sizes, strict=True):
            mine = (at >= begin) & (at < begin + size)
            counted = kernels.count_clusters(
                ordered, values, starts, totals, cells.layout.dims, attributes, int(size)
            )
            moments[rows[mine]] = counted[at[mine] - begin]
    weight_unit = cells.losses.weight_unit
    share = sums.weight / cells.total.weight
    variance = moments[:, 0] - 2 * share * moments[:, 1] + share**2 * (totals**2).sum()
    scale = len(totals) / max(len(totals) - 1, 1)
    mean = cells.total.total / cells.total.weight
    return Clustered(
        excess=(sums.total - mean * sums.weight) / weight_unit,
        deviation=np.sqrt(np.maximum(variance, 0.0) * scale),
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
    values = center(losses)
    _, number = np.unique(groups, return_inverse=True)
    a = np.bincount(number, weights=values * inside)
    t = np.bincount(number, weights=values)
    weights = np.ones(len(values)) if losses.weights is None else losses.weights
    share = float(weights[inside].sum() / weights.sum())
    parts = a - share * t
    scale = len(t) / max(len(t) - 1, 1)
    clustered = Clustered(
        excess=np.array([a.sum()]),
        deviation=np.sqrt(np.array([(parts**2).sum()]) * scale),
        groups=np.array([float(len(np.unique(number[inside])))]),
    )
    return float(compute_clustered_p(clustered, direction=direction)[0])
