"""Vectors of planted clusters, for tests of maps."""

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints


def draw_clusters(
    n: int, *, width: int = 32, clusters: int = 6, seed: int = 0
) -> tuple[NDArray[np.float16], Ints]:
    """Return (n, width) unit vectors around random centers, and the cluster of each."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(clusters, width))
    own = rng.integers(0, clusters, n)
    vectors = centers[own] + 0.35 * rng.normal(size=(n, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16), own


def name_keys(n: int, *, first: int = 0) -> pl.Series:
    """Return n distinct content keys, as hashes of bytes are."""
    digests = [
        hashlib.sha256(str(one).encode()).hexdigest()[:32] for one in range(first, first + n)
    ]
    return pl.Series("content_key", digests)
