"""Vectors made ready to be searched: principal components of equal variance, and their products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats

Single = NDArray[np.float32]
COMPONENTS = 24  # of the space in which neighbors and pairs of directions are searched
LINEAR_COMPONENTS = 128  # of single directions
CENTERS = 400  # rows whose kernel values stand for all pairs of directions
_SMALLEST = 1e-6  # of the largest variance: directions below it are noise of rounding


@dataclass(frozen=True)
class Space:
    """The same n rows in three ways.

    near: (n, c) principal components with their standard deviations' square roots, so that large
    directions count more than small ones, but less than in the vectors: for distances. linear:
    (n, l) of variance 1. pairs: (n, p) of variance 1 and products of two, by centers of a kernel.
    """

    near: Single
    linear: Single
    pairs: Single


def project(vectors: Single, *, seed: int) -> Space:
    """Find principal components of (n, d) vectors, and features for products of two of them."""
    components, variances = find_components(vectors, most=LINEAR_COMPONENTS)
    white = (components / np.sqrt(variances)).astype(np.float32)
    few = white[:, :COMPONENTS]
    near = few * (variances[:COMPONENTS] ** 0.25).astype(np.float32)
    rng = np.random.default_rng([seed, 2])
    centers = few[np.sort(rng.permutation(len(few))[:CENTERS])]
    return Space(np.ascontiguousarray(near), white, expand_pairs(few, centers))


def find_components(vectors: Single, *, most: int) -> tuple[Floats, Floats]:
    """Return (n, c) principal components, largest first, and their (c,) variances.

    Signs are such that the largest entry of each direction is positive.
    """
    centered = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(centered.T @ centered / len(vectors))
    order = np.argsort(variances)[::-1][:most]
    order = order[variances[order] > _SMALLEST * variances.max()]
    chosen = directions[:, order]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(len(order))])
    return centered @ (chosen * signs), variances[order]


def expand_pairs(rows: Single, centers: Single) -> Single:
    """Return features whose inner products are about (1 + x y / c)^2, by Nystroem's method.

    rows: (n, c), centers: (m, c). Source: Williams and Seeger, NIPS 2000. A linear function of them
    is one of the components and of products of two, so of "a helmet, at night".
    """

    def compare(one: Single, other: Single) -> Floats:
        products: Floats = (1.0 + (one @ other.T).astype(np.float64) / rows.shape[1]) ** 2
        return products

    values, directions = np.linalg.eigh(compare(centers, centers))
    kept = values > _SMALLEST * values.max()
    features: Single = (
        compare(rows, centers) @ (directions[:, kept] / np.sqrt(values[kept]))
    ).astype(np.float32)
    return features
