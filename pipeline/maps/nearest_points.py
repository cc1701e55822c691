"""The nearest of some points, exactly, by matrix products over blocks."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Ints

_ROWS = 2_048  # queries at a time: 200 MB of distances to 25,000 points
_GROUP = 64  # points whose largest likeness is taken first


class Nearest(NamedTuple):
    """rows: which queries. ids: (rows, k) the nearest points, nearest first. squared: distances."""

    rows: slice
    ids: Ints
    squared: NDArray[np.float32]


def find_nearest(
    queries: NDArray[np.float32], points: NDArray[np.float32], *, count: int
) -> Iterator[Nearest]:
    """Yield for blocks of queries their `count` nearest points by Euclidean distance.

    queries: (n, d). points: (m, d), m >= count. Exact: the k nearest lie in the k groups of points
    whose nearest members are nearest, so only those groups are sorted. Ties go to the point that
    comes first.
    """
    m = len(points)
    padding = -m % _GROUP
    norms = np.einsum("ij,ij->i", points, points)
    half = np.concatenate([norms / 2, np.full(padding, np.inf, np.float32)])
    padded = np.concatenate([points, np.zeros((padding, points.shape[1]), np.float32)])
    groups = len(padded) // _GROUP
    likeness = np.empty((_ROWS, len(padded)), dtype=np.float32)
    for start in range(0, len(queries), _ROWS):
        some = queries[start : start + _ROWS]
        own = likeness[: len(some)]
        np.matmul(some, padded.T, out=own)
        own -= half
        grouped = own.reshape(len(some), groups, _GROUP)
        kept = min(count, groups)
        best = np.argpartition(-grouped.max(axis=2), kept - 1, axis=1)[:, :kept]
        best.sort(axis=1)
        ids = (best[:, :, None] * _GROUP + np.arange(_GROUP)).reshape(len(some), -1)
        near = np.take_along_axis(own, ids, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")[:, :count]
        chosen = np.take_along_axis(ids, order, axis=1)
        squared = np.einsum("ij,ij->i", some, some)[:, None] - 2 * np.take_along_axis(
            near, order, axis=1
        )
        yield Nearest(slice(start, start + len(some)), chosen, np.maximum(squared, 0))
