"""The methods that cluster unit vectors, and what they take when nothing is asked."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.arrays import Array, Floats, Ints
from pipeline.clusters.dbscan import NOISE, Density, cluster_densely
from pipeline.exceptions import ConfigError

Method = Literal["dbscan", "hdbscan", "kmeans"]
METHODS: tuple[Method, ...] = ("dbscan", "hdbscan", "kmeans")
LEAST = 10  # samples that can be clustered
_PROBED = 1_000  # points whose neighbors say how close points lie
_HDBSCAN_WIDTH = 50  # principal components that HDBSCAN works in
_MOST_CENTERS = 50


@dataclass(frozen=True)
class ClusterSettings:
    """How to cluster.

    eps: cosine distance (1 - cosine) up to which two samples are neighbors, of dbscan; None takes
    the median distance to the `min_points`-th neighbor. min_points: of dbscan and hdbscan, where it
    is also the size of the smallest cluster. count: of kmeans; None takes sqrt(n / 2), 2 to 50.
    """

    method: Method = "dbscan"
    eps: float | None = None
    min_points: int = 10
    count: int | None = None
    seed: int = 0


def complete_settings(asked: ClusterSettings, vectors: Array) -> ClusterSettings:
    """Return the settings with a number for what was left open.

    vectors: (n, d) unit length. Raises ConfigError for fewer than 10 samples, and for more clusters
    or neighbors than samples.
    """
    n = len(vectors)
    if n < LEAST:
        raise ConfigError(f"{n:,} samples have vectors, too few to cluster; {LEAST} are needed")
    wanted = asked.count or 0 if asked.method == "kmeans" else asked.min_points
    if wanted > n:
        name = "--count" if asked.method == "kmeans" else "--min-points"
        raise ConfigError(f"{name} {wanted:,} is more than the {n:,} samples that have vectors")
    eps, count = asked.eps, asked.count
    if asked.method == "dbscan" and eps is None:
        eps = float(f"{np.median(measure_spacing(vectors, asked.min_points, asked.seed)):.2g}")
    if asked.method == "kmeans" and count is None:
        count = int(np.clip(round((n / 2) ** 0.5), 2, _MOST_CENTERS))
    return ClusterSettings(asked.method, eps, asked.min_points, count, asked.seed)


def measure_spacing(vectors: Array, min_points: int, seed: int) -> Floats:
    """Return the cosine distance of up to 1,000 samples to their `min_points`-th neighbor.

    A sample is its own first neighbor, as DBSCAN counts. vectors: (n, d) unit length.
    """
    n = len(vectors)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:_PROBED])
    distances: Array = 1.0 - vectors[chosen].astype(np.float32) @ vectors.astype(np.float32).T
    place = min(min_points, n) - 1
    reached: Floats = np.partition(distances, place, axis=1)[:, place].astype(np.float64)
    return np.maximum(reached, 1e-6)


def to_radius(eps: float) -> float:
    """Return the Euclidean distance of unit vectors at a cosine distance: its square is 2 eps."""
    return float(np.sqrt(2.0 * eps))


def cluster_vectors(vectors: Array, settings: ClusterSettings) -> Ints:
    """Return the cluster of each vector, (n,) from 0, the largest first; NOISE outside of all.

    vectors: (n, d) unit length. settings: complete. Equally large clusters keep the order of their
    first vector, so that the same vectors give the same numbers.
    """
    values = np.ascontiguousarray(vectors, dtype=np.float32)
    if settings.method == "dbscan" and settings.eps is not None:
        density = Density(to_radius(settings.eps), settings.min_points)
        labels = cluster_densely(values, settings=[density])[0]
    elif settings.method == "hdbscan":
        labels = _cluster_by_hierarchy(values, settings)
    else:
        labels = _cluster_by_centers(values, settings)
    return _number_by_size(labels)


def _cluster_by_hierarchy(values: Array, settings: ClusterSettings) -> Ints:
    """Cluster by HDBSCAN (Campello et al., PAKDD 2013) in the first principal components."""
    from sklearn.cluster import HDBSCAN

    centered = values - values.mean(axis=0)
    if centered.shape[1] > _HDBSCAN_WIDTH:
        _, axes = np.linalg.eigh(centered.T @ centered)
        centered = centered @ axes[:, ::-1][:, :_HDBSCAN_WIDTH]
    size = max(2, settings.min_points)
    model = HDBSCAN(min_cluster_size=size, min_samples=settings.min_points, copy=True)
    return np.asarray(model.fit_predict(centered.astype(np.float64)), dtype=np.int64)


def _cluster_by_centers(values: Array, settings: ClusterSettings) -> Ints:
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(
        n_clusters=settings.count, random_state=settings.seed, n_init=3, batch_size=4096
    )
    return np.asarray(model.fit_predict(values), dtype=np.int64)


def _number_by_size(labels: Ints) -> Ints:
    found, first, sizes = np.unique(labels[labels != NOISE], return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    numbers = np.full(int(found.max(initial=-1)) + 2, NOISE, dtype=np.int64)  # last: of NOISE
    numbers[found[order]] = np.arange(len(found))
    return numbers[labels]
