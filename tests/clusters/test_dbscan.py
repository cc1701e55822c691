"""DBSCAN: equal to scikit-learn's, whatever the blocks, in bounded memory."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from pipeline.arrays import Floats, Ints
from pipeline.clusters.dbscan import NOISE, Density, cluster_densely


def draw_points(seed: int, kind: str) -> Floats:
    """Draw 200 to 1,500 points: clouds, points on a grid (distances tie), rings, unit vectors."""
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(200, 1500)), int(rng.integers(2, 24))
    if kind == "grid":
        return rng.integers(0, 14, (n, 3)).astype(np.float64)
    if kind == "ring":
        angle = rng.random(n) * 2 * np.pi
        radius = rng.integers(1, 4, n) + rng.normal(0, 0.05, n)
        return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + 1e3
    clouds = rng.normal(size=(8, width)) * 3
    points = clouds[rng.integers(0, 8, n)] + rng.normal(size=(n, width))
    return points / np.linalg.norm(points, axis=1, keepdims=True) if kind == "unit" else points


def by_sklearn(points: Floats, one: Density) -> Ints:
    found = DBSCAN(eps=one.radius, min_samples=one.min_points, algorithm="brute").fit(points)
    return np.asarray(found.labels_, dtype=np.int64)


@pytest.mark.parametrize("kind", ["clouds", "grid", "ring", "unit"])
@pytest.mark.parametrize("seed", range(5))
def test_labels_are_those_of_scikit_learn_border_points_too(kind: str, seed: int) -> None:
    points = draw_points(seed, kind)
    gaps = np.linalg.norm(points[:150, None] - points[None, :150], axis=2)
    radii = [1.0, 2.0] if kind == "grid" else list(np.quantile(gaps, [0.02, 0.1, 0.3]))
    asked = [Density(float(radius), count) for radius in radii for count in (1, 3, 10)]
    borders = 0
    for one, labels in zip(asked, cluster_densely(points, settings=asked), strict=True):
        expected = by_sklearn(points, one)
        np.testing.assert_array_equal(labels, expected)
        borders += int((expected != NOISE).any())
    assert borders > 0  # some setting had clusters at all


@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([1.0, 1.5, 2.0]))
@settings(max_examples=40)
def test_points_on_a_grid_tie_at_the_radius(seed: int, count: int, radius: float) -> None:
    points = np.random.default_rng(seed).integers(0, 9, (80, 2)).astype(np.float64)
    one = Density(radius, count)
    np.testing.assert_array_equal(
        cluster_densely(points, settings=[one])[0], by_sklearn(points, one)
    )


def test_a_border_point_goes_to_the_first_of_two_clusters() -> None:
    """The point in the middle has two core neighbors of different clusters, and is no core."""
    line = np.array([[3.0], [2.1], [2.0], [1.9], [4.0], [3.9], [4.1]])
    labels = cluster_densely(line, settings=[Density(1.0, 4)])[0]
    np.testing.assert_array_equal(labels, by_sklearn(line, Density(1.0, 4)))


def test_no_points_or_one_point_is_no_error() -> None:
    assert len(cluster_densely(np.zeros((0, 3)), settings=[Density(1.0, 2)])[0]) == 0
    assert cluster_densely(np.zeros((1, 3)), settings=[Density(1.0, 2)])[0].tolist() == [NOISE]
    assert cluster_densely(np.zeros((1, 3)), settings=[Density(1.0, 1)])[0].tolist() == [0]


MEASURE = """
import resource
import numpy as np
from pipeline.clusters.dbscan import Density, cluster_densely
points = np.random.default_rng(0).normal(size=({n}, 8)) * 0.1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
labels = cluster_densely(points, settings=[Density({radius}, 5)])[0]
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(labels.max() + 1, (after - before) / 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_pairs() -> None:
    """All 12,000 points are neighbors of all: lists of neighbors would take 1.1 GB."""
    script = MEASURE.format(n=12_000, radius=10.0)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    clusters, used = map(float, done.stdout.split())
    assert clusters == 1
    assert used < 400, f"{used} MB"
