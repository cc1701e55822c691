"""Residual errors permuted over images: what they could be if they had nothing to do with vectors.

Rows of an image keep their errors together, since two crops of an image are often alike. An image
takes the errors of another with as many rows in the same strata; where fewer than ten images are
alike in that, errors keep or change their sign together (the multiplier bootstrap: Chernozhukov,
Chetverikov and Kato, Annals of Statistics 41, 2013).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.regions.residual_errors import Residuals

LEAST_CLASS = 10  # images that are alike, for their errors to be exchanged


@dataclass(frozen=True)
class ImageClasses:
    """The n rows by image, images that are alike in one class.

    rows: for each class (m, s) numbers of rows: m images of s rows each, rows of an image by
    stratum, so that rows in the same column are of one stratum.
    """

    rows: tuple[Ints, ...]


def sort_images(residuals: Residuals, cluster_ids: Ints) -> ImageClasses:
    """Put images into classes: as many rows in the same strata.

    cluster_ids: (n,) the image of each row, numbers from 0.
    """
    order = np.lexsort((residuals.strata, cluster_ids))
    starts = np.flatnonzero(np.diff(cluster_ids[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    classes = []
    for size in np.unique(sizes):
        rows = order[starts[sizes == size][:, None] + np.arange(size)]  # (m, s)
        kinds = np.unique(residuals.strata[rows], axis=0, return_inverse=True)[1].ravel()
        classes += [rows[kinds == kind] for kind in range(kinds.max() + 1)]
    return ImageClasses(tuple(classes))


def draw_permutations(
    values: Floats, classes: ImageClasses, *, count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return (n, count) residual errors, each column permuted on its own.

    values: (n,) residual errors.
    """
    out = np.empty((len(values), count), np.float32)
    for rows in classes.rows:
        own = values[rows].astype(np.float32)  # (m, s)
        if len(rows) >= LEAST_CLASS:
            taken = rng.random((count, len(rows))).argsort(axis=1)  # (count, m)
            drawn = own[taken]
        else:
            signs = rng.choice(np.array([-1, 1], np.float32), (count, len(rows)))
            drawn = own[None] * signs[:, :, None]
        out[rows] = np.moveaxis(drawn, 0, 2)
    return out


def measure_design_effect(values: Floats, cluster_ids: Ints) -> float:
    """Return how much larger the variance of sums is than of independent rows, at least 1.

    The sum over images of squared sums of residual errors, over the sum of their squares.
    """
    squares = float((values**2).sum())
    sums = np.bincount(cluster_ids, values)
    return max(1.0, float((sums**2).sum()) / squares) if squares > 0 else 1.0
