"""How many samples lie around each cell of a map, and how often a system fails there."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pipeline.arrays import Array, Floats, Ints, Mask
from pipeline.statistics.intervals import Z, wilson_interval

CELLS = 240  # of a side
_WIDTH = 2.0  # of the kernel, in cells
_ROOM = 0.03  # of the picture, on each side
_LEAST_WEIGHT = 0.5 / (2 * np.pi * _WIDTH**2)  # half of what a sample adds to its own cell
_REACH = 4.0  # samples around a cell (effective number) from which its error is said


@dataclass(frozen=True)
class Frame:
    """The square that a map shows: left, bottom and side in the map's own units."""

    left: float
    bottom: float
    side: float

    def place(self, positions: Array) -> Floats:
        """Return (n, 2) positions as shares of the picture: x from its left, y from its top."""
        x = (positions[:, 0] - self.left) / self.side
        y = 1.0 - (positions[:, 1] - self.bottom) / self.side
        return np.column_stack([x, y]).astype(np.float64)


def frame_positions(positions: Array) -> Frame:
    """Return the smallest square, with some room, that holds all (n, 2) positions."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    side = max(float((high - low).max()), 1e-9) / (1 - 2 * _ROOM)
    middle = (low.astype(np.float64) + high) / 2
    return Frame(float(middle[0] - side / 2), float(middle[1] - side / 2), side)


def find_cells(places: Floats, *, cells: int = CELLS) -> tuple[Ints, Ints]:
    """Return the row from the top and the column of each (n, 2) place; 0 to cells - 1."""
    grid = np.clip((places * cells).astype(np.int64), 0, cells - 1)
    return grid[:, 1], grid[:, 0]


@dataclass(frozen=True)
class DensityMap:
    """Arrays of (cells, cells), row 0 at the top.

    density: samples in a cell, smoothed. error, low, high: the mean error of the samples around and
    its 95 % interval; NaN where there are fewer than 4. worse: where low is above the mean of all.
    """

    density: Floats
    error: Floats
    low: Floats
    high: Floats
    worse: Mask


def smooth_counts(places: Floats, weights: Array | None = None, *, cells: int = CELLS) -> Floats:
    """Return the (weighted) number of samples in each cell, smoothed by a Gaussian kernel."""
    rows, columns = find_cells(places, cells=cells)
    counted = np.bincount(rows * cells + columns, weights, minlength=cells * cells)
    return _smooth(counted.reshape(cells, cells), _WIDTH * cells / CELLS)


def map_density(places: Floats, errors: Floats) -> DensityMap:
    """Return density and error over a map.

    places: (n, 2) shares of the picture. errors: (n,) of 0 or more, NaN where a sample has none.
    The kernel's weights w make sum(w)^2 / sum(w^2) samples of a cell (Kish, 1965); of these the
    interval is Wilson's where errors are shares, else that of a mean by its local variance.
    """
    density = smooth_counts(places)
    known = np.isfinite(errors)
    if not known.any():
        unknown = np.full(density.shape, np.nan)
        return DensityMap(density, unknown, unknown, unknown, np.zeros(density.shape, dtype=bool))
    error, n, spread = _average(places[known], errors[known])
    few = ~(n >= _REACH)
    n[few] = 1.0
    if errors[known].max() <= 1.0:
        low, high = wilson_interval(np.minimum(error, 1.0) * n, n)
    else:
        half = Z * np.sqrt(spread / np.maximum(n - 1, 1))
        low, high = error - half, error + half
    for values in (error, low, high):
        values[few] = np.nan
    worse = np.nan_to_num(low, nan=-1.0) > errors[known].mean()
    return DensityMap(density, error, low, high, worse)


def _average(places: Floats, errors: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the weighted mean, the effective number and the variance of errors around a cell."""
    weight = smooth_counts(places)
    rows, columns = find_cells(places)
    counted = np.bincount(rows * CELLS + columns, minlength=CELLS * CELLS).reshape(CELLS, CELLS)
    # The square of a Gaussian kernel is one of 1 / sqrt(2) of its width, over 4 pi width^2.
    squares = _smooth(counted, _WIDTH / np.sqrt(2)) / (4 * np.pi * _WIDTH**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = smooth_counts(places, errors) / weight
        n = weight**2 / squares
        variance = smooth_counts(places, errors**2) / weight - error**2
    # Far from all samples, the tails of many would make much of nothing.
    empty = weight < _LEAST_WEIGHT
    error[empty], n[empty] = 0.0, 0.0
    return np.maximum(error, 0.0), n, np.maximum(np.nan_to_num(variance), 0.0)


def _smooth(counts: Array, width: float) -> Floats:
    smoothed = ndimage.gaussian_filter(counts.astype(np.float64), width, mode="constant")
    return np.asarray(smoothed, dtype=np.float64)
