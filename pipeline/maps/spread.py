"""Landmarks spread out in two dimensions: t-SNE, UMAP or the first two components."""

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats
from pipeline.exceptions import ConfigError
from pipeline.maps.nearest_points import find_nearest

Method = Literal["tsne", "umap", "pca"]
METHODS: tuple[Method, ...] = ("tsne", "umap", "pca")
SMALL = 10_000  # points that scikit-learn's t-SNE takes where openTSNE is not installed
LEAST = 10  # points of a map
_MANY = 5_000  # points from which t-SNE takes several threads
_PERPLEXITY = 30.0
_ADVICE = "pip install 'weakspot[maps]'"


def spread_points(points: NDArray[np.float32], *, method: Method, seed: int, jobs: int) -> Floats:
    """Return (n, 2) positions of points that lie close together where the points do.

    points: (n, k), by falling variance. t-SNE (van der Maaten and Hinton, JMLR 9, 2008) by openTSNE
    with interpolation (Linderman et al., Nature Methods 16, 2019), or by scikit-learn up to 10,000
    points; UMAP (McInnes et al., 2018) by umap-learn. All start at the first two components. The
    same points give the same bytes. Raises ConfigError where a library is missing.
    """
    if method == "pca":
        return points[:, :2].astype(np.float64)
    if not np.ptp(points, axis=0).any():
        raise ConfigError("all samples have the same vector, so there is nothing to map")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about their own future
        return _spread_by_umap(points, seed) if method == "umap" else _tsne(points, seed, jobs)


def _start(points: NDArray[np.float32]) -> Floats:
    """Return the first two components, small, as t-SNE wants its start."""
    start = points[:, :2].astype(np.float64)
    return start / max(float(start[:, 0].std()), 1e-12) * 1e-4


def _tsne(points: NDArray[np.float32], seed: int, jobs: int) -> Floats:
    try:
        import openTSNE
    except ImportError:
        if len(points) > SMALL:
            raise ConfigError(
                f"t-SNE of {len(points):,} samples needs openTSNE: {_ADVICE}, or take "
                f"--landmarks {SMALL} or --method pca"
            ) from None
        return _spread_by_sklearn(points, seed)
    neighbors = min(int(3 * _PERPLEXITY), len(points) - 1)
    perplexity = min(_PERPLEXITY, neighbors / 3)
    ids, distances = _list_neighbors(points, neighbors)
    affinities = openTSNE.affinity.PerplexityBasedNN(
        perplexity=perplexity,
        knn_index=openTSNE.nearest_neighbors.PrecomputedNeighbors(ids, distances),
        n_jobs=jobs,
    )
    jobs = jobs if len(points) >= _MANY else 1  # threads that wait for each other cost more
    start = _start(points)
    fitted: Any = openTSNE.TSNE(
        perplexity=perplexity, initialization=start, random_state=seed, n_jobs=jobs
    ).fit(affinities=affinities, initialization=start)
    return np.asarray(fitted, dtype=np.float64)


def _list_neighbors(points: NDArray[np.float32], count: int) -> tuple[Any, Any]:
    """Return the nearest other points of each, and their distances; exact, so always the same."""
    ids = np.empty((len(points), count), dtype=np.int64)
    distances = np.empty((len(points), count), dtype=np.float64)
    for block in find_nearest(points, points, count=count + 1):
        own = block.ids == np.arange(block.rows.start, block.rows.stop)[:, None]
        own[~own.any(axis=1), -1] = True  # a twin took its place
        ids[block.rows] = block.ids[~own].reshape(-1, count)
        distances[block.rows] = np.sqrt(block.squared[~own].reshape(-1, count))
    return ids, distances


def _spread_by_sklearn(points: NDArray[np.float32], seed: int) -> Floats:
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    start = _start(points).astype(np.float32)
    model = TSNE(perplexity=perplexity, init=start, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(points), dtype=np.float64)


def _spread_by_umap(points: NDArray[np.float32], seed: int) -> Floats:
    try:
        import umap
    except ImportError:
        raise ConfigError(f"--method umap needs umap-learn: {_ADVICE}") from None
    start = _start(points) * 1e5
    model = umap.UMAP(n_neighbors=min(15, len(points) - 1), init=start, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(points), dtype=np.float64)
