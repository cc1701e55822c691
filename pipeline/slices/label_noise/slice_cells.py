"""The combinations of labels of a slice's attributes: rows and errors of each, and draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.label_noise.noise_rows import AttributeRows

_MOST_LEVELS = 3


@dataclass(frozen=True)
class RowErrors:
    """n errors, each with its level: 0/1 errors have two, others up to three of equal numbers.

    errors: (n,) floats. levels: (n,) integers below `count`. most: the largest error. binary:
    whether all errors of a level are equal. deff: how much larger the variance of a mean is than
    with independent rows.
    """

    errors: Floats
    levels: Ints
    count: int
    most: float
    binary: bool
    deff: float = 1.0


def measure_cluster_effect(values: Floats, cluster_ids: Ints) -> float:
    """Return how much larger the variance of the mean of values is than with independent rows.

    At least 1. values: (n,). cluster_ids: (n,) numbers.
    """
    centered = values - values.mean()
    own = float((centered**2).sum())
    sums = np.bincount(cluster_ids, centered)
    return max(float((sums**2).sum()) / own, 1.0) if own > 0 else 1.0


def level_errors(errors: Floats) -> RowErrors:
    """Sort errors into levels, smallest first."""
    distinct = np.unique(errors)
    most = float(distinct[-1]) if len(distinct) else 0.0
    if len(distinct) <= 2:
        levels = np.searchsorted(distinct, errors)
        return RowErrors(errors, levels, max(len(distinct), 1), most, binary=True)
    edges = np.unique(np.quantile(errors, np.arange(1, _MOST_LEVELS) / _MOST_LEVELS))
    levels = np.searchsorted(edges, errors, side="left")
    _, levels = np.unique(levels, return_inverse=True)
    return RowErrors(errors, levels, int(levels.max()) + 1, most, binary=False)


@dataclass(frozen=True)
class SliceCells:
    """Rows, error sums and sums of squared errors of each combination of labels and error level.

    Each has one axis an attribute, as long as its labels are many, and one for the levels.
    """

    n: Floats
    total: Floats
    square: Floats


def count_cells(attributes: Sequence[AttributeRows], errors: RowErrors) -> SliceCells:
    """Count the combinations of labels of some attributes."""
    shape = (*(len(rows.shown) for rows in attributes), errors.count)
    key = np.ravel_multi_index((*(rows.labels for rows in attributes), errors.levels), shape)
    n, total, square = (
        np.bincount(key, weights, int(np.prod(shape))).astype(np.float64).reshape(shape)
        for weights in (None, errors.errors, errors.errors**2)
    )
    return SliceCells(n, total, square)


def draw_cells(
    cells: SliceCells, errors: RowErrors, *, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw rows and error sums of each cell as another sample of the same size would have them.

    Rows have a gamma posterior, whose prior is one row a combination, shared out as the levels are
    in all rows. Within a level errors have their own mean and variance. Returns draws of rows and
    of error sums, each (d, *shape of the cells).
    """
    levels = cells.n.shape[-1]
    count = np.maximum(cells.n.reshape(-1, levels).sum(axis=0), 1.0)
    rows = cells.n.sum(axis=-1, keepdims=True)
    size = cells.n / errors.deff + count / count.sum()
    n = rng.standard_gamma(np.broadcast_to(size, (draws, *size.shape)))
    n *= rows / (rows / errors.deff + 1.0)  # the prior changes shares, not sizes
    level = cells.total.reshape(-1, levels).sum(axis=0) / count  # (l,)
    if errors.binary:
        return n, n * level
    mean = (cells.total + level) / (cells.n + 1.0)
    whole = cells.square.reshape(-1, levels).sum(axis=0) / count
    variance = np.maximum((cells.square + whole) / (cells.n + 1.0) - mean**2, 0.0)
    deviation = np.sqrt(variance * errors.deff / (cells.n + 1.0))
    noise = rng.standard_normal(n.shape) * deviation
    return n, n * np.clip(mean + noise, 0.0, errors.most)
