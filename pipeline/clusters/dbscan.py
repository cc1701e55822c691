"""DBSCAN in bounded memory: distances are made block by block and never kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pipeline.arrays import Array, Floats, Ints, Mask

NOISE = -1  # the label of a point in no cluster
_ROWS, _COLUMNS = 512, 4096  # points compared at a time: 8 MB of distances


@dataclass(frozen=True)
class Density:
    """What makes a cluster.

    radius: Euclidean distance up to which two points are neighbors. min_points: how many points,
    itself included, a core point has within it.
    """

    radius: float
    min_points: int


@dataclass(frozen=True)
class _Block:
    """Squared distances of the points rows to the points columns; `unsure` may be rounded wrong."""

    rows: slice
    columns: slice
    squared: NDArray[np.float32]
    margin: float


@dataclass
class _Growth:
    """The clusters of one setting while blocks come in.

    root: (n,) the first core point that a core point is known to be connected with.
    border: pairs of a point that is no core point and a core point within the radius.
    """

    core: Mask
    root: Ints
    border: list[tuple[Ints, Ints]] = field(default_factory=list)


def cluster_densely(points: Array, *, settings: Sequence[Density]) -> list[Ints]:
    """Return the DBSCAN clusters of some points, for each setting.

    points: (n, d) finite floats. Each result is (n,) from 0, in the order of the first core point
    of a cluster; NOISE elsewhere. Equal to scikit-learn's, border points included: these belong to
    the first cluster that reaches them. Distances are computed in float32, those near the radius
    again in float64. Memory: that of the points, some 100 MB, and the neighbors of border points.
    Source: Ester et al., KDD 1996; Schubert et al., TODS 42, 2017.
    """
    if len(points) == 0:
        return [np.zeros(0, dtype=np.int64) for _ in settings]
    exact = np.ascontiguousarray(points, dtype=np.float64)
    radii = sorted({one.radius for one in settings})
    counts = dict(zip(radii, _count_neighbors(exact, radii), strict=True))
    n = len(exact)
    growths = [
        _Growth(counts[one.radius] >= one.min_points, np.arange(n, dtype=np.int64))
        for one in settings
    ]
    for block in _compare(exact):
        near = {radius: _find_near(exact, block, radius) for radius in radii}
        for one, growth in zip(settings, growths, strict=True):
            _grow(growth, block, near[one.radius])
    return [_label(growth) for growth in growths]


def _count_neighbors(points: Floats, radii: Sequence[float]) -> list[Ints]:
    """Return for each radius (n,) how many points lie within it, the point itself included."""
    counts = [np.zeros(len(points), dtype=np.int64) for _ in radii]
    for block in _compare(points):
        for radius, count in zip(radii, counts, strict=True):
            near = _find_near(points, block, radius)
            count[block.rows] += near.sum(axis=1)
            later = max(block.rows.stop, block.columns.start)  # the square of the rows counts once
            count[later : block.columns.stop] += near[:, later - block.columns.start :].sum(axis=0)
    return counts


def _compare(points: Floats) -> Iterator[_Block]:
    """Yield the distances of each block of rows to itself and all later points."""
    n, width = points.shape
    centered = (points - points.mean(axis=0)).astype(np.float32)
    norms = np.einsum("ij,ij->i", centered, centered)
    rounding = (4 * width + 32) * np.finfo(np.float32).eps
    margin = float(rounding * norms.max(initial=0.0))
    for start in range(0, n, _ROWS):
        rows = slice(start, min(start + _ROWS, n))
        for first in range(start, n, _COLUMNS):
            columns = slice(first, min(first + _COLUMNS, n))
            squared = centered[rows] @ centered[columns].T
            squared *= -2
            squared += norms[rows, None]
            squared += norms[columns]
            yield _Block(rows, columns, squared, margin)


def _find_near(points: Floats, block: _Block, radius: float) -> Mask:
    """Return which pairs of a block are within the radius; those near it are computed exactly."""
    limit = radius * radius
    near: Mask = block.squared <= limit
    unsure = np.abs(block.squared - np.float32(limit)) <= block.margin + 1e-6 * limit
    i, j = np.nonzero(unsure)
    for start in range(0, len(i), 65_536):
        some = slice(start, start + 65_536)
        gaps = points[block.rows][i[some]] - points[block.columns][j[some]]
        near[i[some], j[some]] = np.einsum("ij,ij->i", gaps, gaps) <= limit
    return near


def _grow(growth: _Growth, block: _Block, near: Mask) -> None:
    """Connect the core points of a block, and note which core points its other points are near."""
    core_rows, core_columns = growth.core[block.rows], growth.core[block.columns]
    row_ids = np.arange(block.rows.start, block.rows.stop)
    column_ids = np.arange(block.columns.start, block.columns.stop)
    apart = growth.root[row_ids][:, None] != growth.root[column_ids][None, :]
    i, j = np.nonzero(near & apart & core_rows[:, None] & core_columns[None, :])
    if len(i):
        _unite(growth, row_ids[i], column_ids[j])
    i, j = np.nonzero(near & ~core_rows[:, None] & core_columns[None, :])
    growth.border.append((row_ids[i], column_ids[j]))
    i, j = np.nonzero(near & core_rows[:, None] & ~core_columns[None, :])
    growth.border.append((column_ids[j], row_ids[i]))


def _unite(growth: _Growth, first: Ints, second: Ints) -> None:
    """Give pairs of core points, and all that they are connected with, one root: the smallest."""
    roots, places = np.unique(
        np.concatenate([growth.root[first], growth.root[second]]), return_inverse=True
    )
    pairs = places.reshape(2, -1)
    size = len(roots)
    graph = coo_matrix((np.ones(len(first), np.int8), (pairs[0], pairs[1])), shape=(size, size))
    count, part = connected_components(graph, directed=False)
    smallest = np.full(count, len(growth.root), dtype=np.int64)
    np.minimum.at(smallest, part, roots)
    moved = np.arange(len(growth.root), dtype=np.int64)
    moved[roots] = smallest[part]
    growth.root = moved[growth.root]


def _label(growth: _Growth) -> Ints:
    """Number the clusters by their first core point, and give border points their smallest one."""
    labels = np.full(len(growth.root), NOISE, dtype=np.int64)
    roots = np.unique(growth.root[growth.core])
    labels[growth.core] = np.searchsorted(roots, growth.root[growth.core])
    if growth.border:
        border, core = (np.concatenate(parts) for parts in zip(*growth.border, strict=True))
        reached = np.full(len(labels), len(roots), dtype=np.int64)
        np.minimum.at(reached, border, labels[core])
        there = reached < len(roots)
        labels[there] = reached[there]
    return labels
