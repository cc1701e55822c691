"""Means of all pairs against brute force, intervals that cover, drawn pairs, captions."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.caption_similarity import measure_captions
from pipeline.ranking.pair_means import measure_classes
from pipeline.ranking.pair_quantiles import Spread, find_quantiles, spread_classes
from pipeline.ranking.region_pooling import to_unit


def draw(count: int, width: int = 6, seed: int = 0) -> np.ndarray:
    return to_unit(np.random.default_rng(seed).normal(0.5, 1, (count, width)).astype("f4"))


def brute_force(
    vectors: np.ndarray, classes: np.ndarray, groups: np.ndarray, code: int | None
) -> tuple[float, float]:
    """Return the mean cosine of pairs of a class (None: of every class), and with other classes."""
    inner: list[float] = []
    inter: list[float] = []
    for i in range(len(vectors)):
        for j in range(len(vectors)):
            if i == j or groups[i] == groups[j] or (code is not None and classes[i] != code):
                continue
            (inner if classes[i] == classes[j] else inter).append(float(vectors[i] @ vectors[j]))
    return tuple(float(np.mean(part)) if part else np.nan for part in (inner, inter))  # type: ignore[return-value]  # two


@given(st.integers(4, 25), st.integers(2, 4), st.integers(1, 12), st.integers(0, 1000))
def test_means_equal_those_of_every_pair(count: int, most: int, images: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, most, count)
    _, classes = np.unique(classes, return_inverse=True)
    _, groups = np.unique(rng.integers(0, images, count), return_inverse=True)
    names = tuple(f"c{i}" for i in range(classes.max() + 1))
    vectors = draw(count, seed=seed)
    found = measure_classes(vectors, classes, groups, names, draws=3)
    for row, code in zip(found.to_dicts(), [None, *range(len(names))], strict=True):
        expected = brute_force(vectors, classes, groups, code)
        for name, value in zip(("inner", "inter"), expected, strict=True):
            if np.isnan(value):
                assert row[name] is None
            else:
                assert row[name] == pytest.approx(value, abs=1e-6)


def test_intervals_cover_the_mean_of_the_world_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    centers = rng.normal(size=(2, 6))
    world = [to_unit((c + rng.normal(size=(4000, 6))).astype("f4")) for c in centers]
    sums = [part.sum(axis=0).astype(float) for part in world]
    truth = np.mean([(s @ s - 4000) / (4000 * 3999) for s in sums])  # classes are equally large
    hits = 0
    for _ in range(60):
        picked = [part[rng.integers(0, 4000, 40)] for part in world]
        table = measure_classes(
            np.vstack(picked), np.repeat([0, 1], 40), np.arange(80), ("a", "b"), draws=200
        )
        row = table.row(0, named=True)
        hits += row["inner_low"] <= truth <= row["inner_high"]
    assert 50 <= hits <= 60  # 57 of 60 expected


def test_images_that_hold_many_samples_make_the_interval_wider() -> None:
    vectors = np.repeat(draw(30), 10, axis=0)
    classes = np.tile([0, 1], 150)
    alone = measure_classes(vectors, classes, np.arange(300), ("a", "b")).row(0, named=True)
    shared = measure_classes(vectors, classes, np.arange(300) // 10, ("a", "b"))
    row = shared.row(0, named=True)
    wide, narrow = (r["inner_high"] - r["inner_low"] for r in (row, alone))
    assert wide > 1.5 * narrow
    assert alone["inner"] > row["inner"]  # copies of one image are no pairs


def test_a_class_of_one_image_has_no_inner_mean() -> None:
    table = measure_classes(draw(5), np.array([0, 0, 0, 1, 1]), np.arange(5) // 3, ("a", "b"))
    assert table.select("inner", "gap").row(1) == (None, None)
    assert table.filter(pl.col("class") == "a")["inter"][0] is not None


def test_drawn_pairs_have_the_means_of_all_pairs_and_are_of_two_images() -> None:
    vectors, classes = draw(90), np.repeat([0, 1, 2], [50, 30, 10])
    groups = np.arange(90) // 2
    spread = spread_classes(vectors, classes, groups, pairs=40_000)
    inner, inter = brute_force(vectors, classes, groups, None)
    assert len(spread.inner) == len(spread.inter) == 40_000
    assert spread.inner.mean() == pytest.approx(inner, abs=0.01)
    assert spread.inter.mean() == pytest.approx(inter, abs=0.01)
    same = spread_classes(vectors[:2], np.array([0, 0]), np.array([0, 0]), pairs=10)
    assert len(same.inner) == len(same.inter) == 0
    assert find_quantiles(same.inner) == [None] * 5
    assert np.isnan(same.separation)


def test_separation_is_the_area_under_the_roc_curve() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    inner, inter = np.round(rng.normal(0.3, 1, 500), 1), np.round(rng.normal(0, 1, 300), 1)
    expected = roc_auc_score(np.r_[np.ones(500), np.zeros(300)], np.r_[inner, inter])
    assert Spread(inner, inter).separation == pytest.approx(expected)


def test_captions_of_an_image_are_told_from_those_of_others() -> None:
    rng = np.random.default_rng(2)
    images = draw(20)
    image_of = np.sort(rng.integers(0, 20, 50))
    captions = to_unit((images[image_of] + 0.5 * rng.normal(size=(50, 6))).astype("f4"))
    found = measure_captions(images, captions, image_of)
    products, texts = images @ captions.T, captions @ captions.T
    own = image_of[np.newaxis] == np.arange(20)[:, np.newaxis]
    alike = image_of[:, np.newaxis] == image_of[np.newaxis]
    upper = np.triu(np.ones((50, 50), bool), 1)
    expected = [
        products[own], products[~own], texts[alike & upper], texts[~alike & upper],
        (images @ images.T)[np.triu_indices(20, 1)],
    ]  # fmt: skip
    means = [found.own, found.other, found.captions_own, found.captions_other, found.images]
    for mean, values in zip(means, expected, strict=True):
        assert mean.mean == pytest.approx(values.mean(), abs=1e-6)
        assert mean.pairs == len(values)
        assert mean.low < mean.mean < mean.high
    assert found.image_caption.inner.mean() == pytest.approx(products[own].mean(), abs=0.01)
    assert found.image_caption.inter.mean() == pytest.approx(products[~own].mean(), abs=0.01)
    assert found.caption_caption.inner.max() < 1.0  # no caption beside itself
    assert found.image_caption.separation > 0.8


def test_images_with_one_caption_each_have_no_pairs_of_captions() -> None:
    found = measure_captions(draw(5), draw(5, seed=1), np.arange(5))
    assert np.isnan(found.captions_own.mean)
    assert found.captions_own.pairs == 0
    assert len(found.caption_caption.inner) == 0
