"""Positions of a map: near where vectors are near, the same bytes each time, and they stay."""

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from pipeline.exceptions import ConfigError
from pipeline.maps.landmarks import choose_landmarks
from pipeline.maps.nearest_points import find_nearest
from pipeline.maps.positions import MapSettings, make_positions, place_samples
from pipeline.maps.reduction import fit_basis, reduce_vectors
from tests.maps.worlds import draw_clusters, name_keys

SMALL = MapSettings(landmarks=300)


def test_components_are_those_of_scikit_learn_but_for_signs() -> None:
    vectors, _ = draw_clusters(800)
    basis = fit_basis(vectors, width=5)
    expected = PCA(5, svd_solver="full").fit(vectors.astype(np.float64))
    alike = np.abs((basis.components * expected.components_).sum(axis=1))
    np.testing.assert_allclose(alike, 1, atol=1e-4)
    np.testing.assert_allclose(
        reduce_vectors(vectors, basis).var(axis=0, ddof=1), expected.explained_variance_, rtol=1e-3
    )


@pytest.mark.parametrize(("n", "m", "count"), [(300, 5, 3), (2100, 700, 10), (50, 64, 64)])
def test_the_nearest_are_those_of_all_distances(n: int, m: int, count: int) -> None:
    rng = np.random.default_rng(n)
    queries = rng.normal(size=(n, 7)).astype(np.float32)
    points = rng.normal(size=(m, 7)).astype(np.float32)
    blocks = list(find_nearest(queries, points, count=count))
    found = np.concatenate([block.ids for block in blocks])
    gaps = np.square(queries[:, None] - points[None]).sum(axis=2)
    expected = np.sort(gaps, axis=1)[:, :count]
    np.testing.assert_allclose(np.take_along_axis(gaps, found, axis=1), expected, atol=1e-4)
    squared = np.concatenate([block.squared for block in blocks])
    np.testing.assert_allclose(squared, expected, atol=1e-4)


def test_no_small_finding_vanishes_among_landmarks() -> None:
    strata = np.zeros(20_000, dtype=np.int64)
    strata[:60], strata[60:1000] = 1, 2
    chosen = choose_landmarks(name_keys(20_000), strata, count=1000)
    counts = np.bincount(strata[chosen])
    assert counts[1] == 60  # all of it: 5 % would have been 3
    assert counts[2] == 200
    assert 900 < counts[0] < 1000


def test_landmarks_do_not_depend_on_the_order_of_rows() -> None:
    keys, strata = name_keys(3000), np.arange(3000) % 3
    order = np.random.default_rng(1).permutation(3000)
    first = choose_landmarks(keys, strata, count=900)
    second = choose_landmarks(keys.gather(order), strata[order], count=900)
    assert set(keys.gather(first)) == set(keys.gather(order).gather(second))


@pytest.mark.slow
def test_a_map_is_the_same_bytes_twice_in_any_order_with_any_threads() -> None:
    vectors, own = draw_clusters(700)
    keys, strata = name_keys(700), np.zeros(700, dtype=np.int64)
    first, _ = make_positions(keys, vectors, strata, settings=SMALL, jobs=1)
    order = np.random.default_rng(2).permutation(700)
    second, _ = make_positions(
        keys.gather(order), vectors[order], strata[order], settings=SMALL, jobs=2
    )
    assert first.equals(second)
    assert first["landmark"].sum() == 300
    spread = keys.to_frame().join(first, on="content_key", maintain_order="left")
    points = spread.select("x", "y").to_numpy()
    assert trustworthiness(vectors.astype(np.float64), points, n_neighbors=10) > 0.85
    inside = [points[own == one] for one in range(6)]
    within = np.mean(
        [np.linalg.norm(one - np.median(one, axis=0), axis=1).mean() for one in inside]
    )
    middles = np.array([np.median(one, axis=0) for one in inside])
    between = np.linalg.norm(middles[:, None] - middles[None], axis=2)[np.triu_indices(6, 1)]
    assert between.min() > 2 * within


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_new_samples_are_placed_with_their_kind_and_nothing_moves(method: str) -> None:
    vectors, own = draw_clusters(500)
    settings = MapSettings("pca" if method == "pca" else "tsne", 300)
    old, new = slice(0, 450), slice(450, 500)
    keys = name_keys(500)
    placed, basis = make_positions(
        keys[old], vectors[old], np.zeros(450, dtype=np.int64), settings=settings
    )
    rows = pl.DataFrame({"content_key": keys[old]}).with_row_index("row")
    landmarks = placed.filter("landmark").join(rows, on="content_key", maintain_order="left")
    added = place_samples(
        keys[new], vectors[new], landmarks, vectors[landmarks["row"].to_numpy()], basis
    )
    assert set(added["content_key"]) == set(keys[new])
    assert not added["landmark"].any()
    everything = pl.concat([placed, added])
    points = keys.to_frame().join(everything, on="content_key", maintain_order="left")
    xy = points.select("x", "y").to_numpy()
    middles = np.array([np.median(xy[old][own[old] == one], axis=0) for one in range(6)])
    nearest = np.linalg.norm(xy[new][:, None] - middles[None], axis=2).argmin(axis=1)
    assert (nearest == own[new]).mean() > (0.95 if method == "tsne" else 0.5)


def test_too_few_samples_and_equal_ones_are_errors_in_a_line() -> None:
    vectors, _ = draw_clusters(9)
    with pytest.raises(ConfigError, match="9 samples have vectors; a map needs 10"):
        make_positions(name_keys(9), vectors, np.zeros(9, dtype=np.int64), settings=SMALL)
    same = np.repeat(vectors[:1], 40, axis=0)
    with pytest.raises(ConfigError, match="all samples have the same vector"):
        make_positions(name_keys(40), same, np.zeros(40, dtype=np.int64), settings=SMALL)


@pytest.mark.slow
@pytest.mark.endurance  # numba compiles for a minute
def test_umap_makes_the_same_map_twice() -> None:
    vectors, _ = draw_clusters(200)
    settings = MapSettings("umap", 200)
    strata = np.zeros(200, dtype=np.int64)
    first, _ = make_positions(name_keys(200), vectors, strata, settings=settings)
    second, _ = make_positions(name_keys(200), vectors, strata, settings=settings)
    assert first.equals(second)
