"""The combinations of labels of a slice's attributes: rows and errors of each, and draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.noise_rows import AttributeRows


@dataclass(frozen=True)
class SliceCells:
    """The c combinations of labels that occur, by the attributes of one slice.

    labels: one (c,) array an attribute. n: (c,) rows. total: (c,) error sums. square: (c,) sums of
    squared errors. most: the largest error.
    """

    labels: tuple[Ints, ...]
    n: Floats
    total: Floats
    square: Floats
    most: float


def count_cells(attributes: Sequence[AttributeRows], errors: Floats) -> SliceCells:
    """Count the combinations of labels of some attributes."""
    shape = [len(rows.shown) for rows in attributes]
    key = np.ravel_multi_index([rows.labels for rows in attributes], shape)
    present, cell = np.unique(key, return_inverse=True)
    sums = [np.bincount(cell, weights, len(present)) for weights in (None, errors, errors * errors)]
    labels = tuple(np.asarray(part, np.int64) for part in np.unravel_index(present, shape))
    n, total, square = (np.asarray(part, np.float64) for part in sums)
    return SliceCells(labels, n, total, square, float(errors.max(initial=0.0)))


def draw_cells(
    cells: SliceCells, *, draws: int, rng: np.random.Generator, deff: float = 1.0
) -> tuple[Floats, Floats]:
    """Draw rows and error sums of each cell as another sample of the same size would have them.

    deff: how much larger the variance of a mean is than with independent rows. 0/1 errors are
    drawn from a Beta posterior, others from a gamma distribution with the cell's mean and
    variance; both with one row's worth of prior at the mean of all cells. Returns (d, c) rows and
    (d, c) error sums.
    """
    n = rng.standard_gamma(np.broadcast_to(cells.n / deff, (draws, len(cells.n)))) * deff
    overall = cells.total.sum() / cells.n.sum()
    size = cells.n / deff + 1.0
    mean = (cells.total / deff + overall) / size
    if overall <= 0:
        return n, np.zeros_like(n)
    if np.allclose(cells.square, cells.total * cells.most, rtol=1e-9):
        share = np.clip(mean / cells.most, 1e-12, 1.0)
        hits = rng.standard_gamma(np.broadcast_to(size * share, n.shape))
        misses = rng.standard_gamma(np.broadcast_to(size * np.maximum(1 - share, 1e-12), n.shape))
        return n, n * cells.most * hits / np.maximum(hits + misses, 1e-300)
    whole = cells.square.sum() / cells.n.sum()
    variance = np.maximum((cells.square / deff + whole) / size - mean**2, 0.0) / size
    scale = np.maximum(variance / mean, 1e-300)
    drawn = rng.standard_gamma(np.broadcast_to(mean / scale, n.shape)) * scale
    return n, n * np.minimum(drawn, cells.most)
