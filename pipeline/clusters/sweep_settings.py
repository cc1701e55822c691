"""DBSCAN over a grid of eps and min points, beside values that are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Array
from pipeline.clusters.cluster_methods import measure_spacing, to_radius
from pipeline.clusters.dbscan import Density, cluster_densely
from pipeline.clusters.purity import Agreement, compare_clusters

MIN_POINTS = (1, 3, 10, 30)
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75)  # of the distance to the tenth neighbor


@dataclass(frozen=True)
class SweptSetting:
    """One setting, eps a cosine distance, and what its clusters are like."""

    eps: float
    min_points: int
    agreement: Agreement


def propose_eps(vectors: Array, *, seed: int = 0) -> list[float]:
    """Return distances worth trying: quantiles of the distance to the tenth neighbor, two digits.

    vectors: (n, d) unit length. Which distances make clusters differs between encoders.
    """
    spacing = measure_spacing(vectors, 10, seed)
    return sorted({float(f"{one:.2g}") for one in np.quantile(spacing, _QUANTILES)})


def sweep_settings(
    vectors: Array,
    values: Sequence[str] | None,
    *,
    eps: Sequence[float],
    min_points: Sequence[int] = MIN_POINTS,
) -> list[SweptSetting]:
    """Cluster by DBSCAN with each eps and min points, and compare each with known values.

    vectors: (n, d) unit length. values: (n,) or None. All settings share two passes over the
    distances, so that the whole grid costs little more than one setting.
    """
    grid = [(one, count) for one in eps for count in min_points]
    settings = [Density(to_radius(one), count) for one, count in grid]
    found = cluster_densely(np.asarray(vectors, dtype=np.float32), settings=settings)
    return [
        SweptSetting(one, count, compare_clusters(labels, values))
        for (one, count), labels in zip(grid, found, strict=True)
    ]
