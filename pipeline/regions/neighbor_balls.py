"""Balls of nearest neighbors: the sets in which residual errors are summed.

A spatial scan statistic (Kulldorff, Communications in Statistics 26, 1997) over the space of
vectors: around each of many rows the k nearest ones, for several k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints

Single = NDArray[np.float32]
MOST_CENTERS = 1500
SCALES = 5
LARGEST = 0.12  # of the rows: the largest ball
_MEMORY = 4_000_000  # neighbors that are kept
_BLOCK = 256  # centers whose distances are in memory at a time


@dataclass(frozen=True)
class BallFamily:
    """Balls around c rows, of s sizes each, among n rows.

    centers: (c,) rows. sizes: (s,). neighbors: (c, largest size) rows, nearest first.
    """

    centers: Ints
    sizes: Ints
    neighbors: NDArray[np.int32]

    def sum_sets(self, residuals: Single) -> Floats:
        """Return (c, s) sums of (n,) residual errors over the balls."""
        starts = np.append(0, self.sizes[:-1])
        rings = np.add.reduceat(residuals[self.neighbors], starts, axis=1)
        sums: Floats = np.cumsum(rings, axis=1, dtype=np.float64)
        return sums


def make_ball_family(rows: Single, *, least: int, seed: int) -> BallFamily:
    """Find the nearest rows of (n, c) rows around many of them.

    least: rows of the smallest ball.
    """
    n = len(rows)
    largest = min(n, max(least, round(LARGEST * n)))
    sizes = np.unique(np.geomspace(least, largest, SCALES).astype(np.int64))
    count = min(n, MOST_CENTERS, max(_MEMORY // largest, 50))
    centers = np.sort(np.random.default_rng([seed, 4]).permutation(n)[:count])
    neighbors = np.empty((count, largest), np.int32)
    for start in range(0, count, _BLOCK):
        distances = measure_distances(rows[centers[start : start + _BLOCK]], rows)
        near = np.argpartition(distances, largest - 1, axis=1)[:, :largest]
        order = np.take_along_axis(distances, near, 1).argsort(axis=1, kind="stable")
        neighbors[start : start + _BLOCK] = np.take_along_axis(near, order, 1)
    return BallFamily(centers, sizes, neighbors)


def measure_distances(centers: Single, rows: Single) -> Single:
    """Return (c, n) squared distances, up to a constant of each center."""
    distances: Single = (rows * rows).sum(axis=1)[None] - 2.0 * (centers @ rows.T)
    return distances
