"""Vectors in their first principal components, in one pass over an array that may be on disk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Array, Floats

WIDTH = 50  # components that a map is made from
_BLOCK = 16_384  # rows in memory at a time


@dataclass(frozen=True)
class Basis:
    """Where vectors are seen from: mean (d,), components (k, d) of falling variance."""

    mean: Floats
    components: Floats


def fit_basis(vectors: Array, *, width: int = WIDTH) -> Basis:
    """Return the mean and the first principal components of vectors.

    vectors: (n, d) floats, also float16 and memory-mapped; rows are read in blocks. width: how many
    components, at most d. The largest weight of a component is positive, so that signs are fixed.
    """
    n, d = vectors.shape
    total, products = np.zeros(d), np.zeros((d, d))
    for start in range(0, n, _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float32)
        total += block.sum(axis=0, dtype=np.float64)
        products += block.T @ block
    mean = total / n
    _, axes = np.linalg.eigh(products / n - np.outer(mean, mean))
    components = axes[:, ::-1][:, : min(width, d)].T
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    return Basis(mean, components * np.where(signs == 0, 1.0, signs)[:, None])


def reduce_vectors(vectors: Array, basis: Basis) -> NDArray[np.float32]:
    """Return (n, k) the components of vectors, block by block."""
    axes = basis.components.T.astype(np.float32)
    mean = basis.mean.astype(np.float32)
    reduced = np.empty((len(vectors), axes.shape[1]), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        reduced[rows] = (vectors[rows].astype(np.float32) - mean) @ axes
    return reduced
