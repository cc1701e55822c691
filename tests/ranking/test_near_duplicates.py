"""Pairs and groups of near duplicates against brute force, and leaks between splits."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.near_duplicates import link_near, list_duplicates
from pipeline.ranking.pair_search import choose_short_form, find_pairs, measure_cosines
from pipeline.ranking.region_pooling import to_unit


def plant(count: int, width: int, *, spread: float, seed: int) -> np.ndarray:
    """Return unit vectors, a third of which lie near another one."""
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(width, width)) * np.linspace(2, 0.1, width)[:, np.newaxis]
    vectors = rng.normal(size=(count, width)) @ basis
    copies = rng.integers(0, count, count // 3)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)[copies]
    noise = to_unit(rng.normal(size=(len(copies), width)).astype("f4"))
    near = vectors[copies] + spread * length * noise * rng.random((len(copies), 1))
    vectors[rng.permutation(count)[: len(copies)]] = near
    return to_unit(vectors.astype(np.float32))


def brute_force(vectors: np.ndarray, least: float) -> set[tuple[int, int]]:
    one, other = np.triu_indices(len(vectors), 1)
    near = measure_cosines(vectors, one, other) >= least
    return set(zip(one[near].tolist(), other[near].tolist(), strict=True))


def collect(vectors: np.ndarray, least: float, *, block: int) -> set[tuple[int, int]]:
    found = list(find_pairs(vectors, least=least, block=block))
    pairs = [
        pair for one, other in found for pair in zip(one.tolist(), other.tolist(), strict=True)
    ]
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


@given(
    st.integers(1, 120), st.sampled_from([2, 20, 40, 200]), st.sampled_from([0.5, 0.9, 0.98, 1.0]),
    st.integers(0, 10_000), st.integers(1, 130),
)  # fmt: skip
def test_no_pair_is_missed_whatever_the_block(
    count: int, width: int, least: float, seed: int, block: int
) -> None:
    vectors = plant(count, width, spread=0.3, seed=seed)
    assert collect(vectors, least, block=block) == brute_force(vectors, least)


def test_short_forms_bound_every_cosine_and_are_used_where_they_pay() -> None:
    vectors = plant(600, 200, spread=0.2, seed=1)
    form = choose_short_form(vectors, least=0.98)
    assert form.basis is not None
    short = form.shorten(vectors)
    assert short.shape[1] < 200
    assert (short @ short.T >= vectors @ vectors.T - 1e-5).all()
    alike = to_unit(np.ones((50, 200), np.float32))
    assert choose_short_form(alike, least=0.98).basis is None  # every pair would be compared again


def test_pairs_on_the_threshold_count_and_those_below_do_not() -> None:
    angle = np.arccos(0.98)
    turned = [[np.cos(a), np.sin(a)] for a in (0.0, angle, 2.1 * angle)]
    vectors = np.array(turned, np.float32)
    assert collect(vectors, 0.98, block=8) == {(0, 1)}


def test_groups_are_chains_of_pairs_as_of_a_graph() -> None:
    vectors = plant(300, 30, spread=0.35, seed=3)
    codes = link_near(vectors, least=0.95)
    pairs = brute_force(vectors, 0.95)
    assert len(pairs) > 20
    parent = list(range(300))

    def find(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for one, other in pairs:
        parent[max(find(one), find(other))] = min(find(one), find(other))
    roots = [find(i) for i in range(300)]
    assert {tuple(np.flatnonzero(codes == c)) for c in set(codes.tolist())} == {
        tuple(i for i in range(300) if roots[i] == root) for root in set(roots)
    }


def write_samples() -> tuple[pl.DataFrame, pl.Series, np.ndarray]:
    """Two equal images in train and val, a near copy of another in test, and two lone ones."""
    samples = pl.DataFrame(
        {
            "sample_id": ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"],
            "content_key": ["a", "a", "b", "b2", "c", "d", "lost", "lost"],
            "path": [f"{i}.png" for i in range(8)],
            "split": ["train", "val", "train", "test", "val", None, "val", "val"],
            "annotation_id": pl.Series([None] * 8, dtype=pl.String),
        }
    )
    keys = pl.Series(["a", "b", "b2", "c", "d"])
    vectors = to_unit(
        np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0.1], [0, 0, 1], [1, 1, 1]], np.float32)
    )
    return samples, keys, vectors


def test_equal_pixels_are_named_apart_from_near_ones_and_leaks_come_first() -> None:
    samples, keys, vectors = write_samples()
    found = list_duplicates(samples, keys, vectors, link_near(vectors, least=0.98))
    told = found.select("group", "kind", "across_splits", "size", "sample_id", "copy_of").rows()
    assert set(told) == {
        (1, "exact", True, 2, "s0", None),
        (1, "exact", True, 2, "s1", "s0"),
        (2, "near", True, 2, "s2", None),
        (2, "near", True, 2, "s3", None),
        (3, "exact", False, 2, "s6", None),  # of content that has no vector
        (3, "exact", False, 2, "s7", "s6"),
    }
    near = found.filter(pl.col("group") == 2)
    assert near["least_cosine"].to_list() == pytest.approx([1 / np.sqrt(1.01)] * 2, abs=1e-5)
    assert near["cosine"].max() == 1.0


def test_the_order_of_samples_changes_nothing() -> None:
    samples, keys, vectors = write_samples()
    codes = link_near(vectors, least=0.98)
    found = list_duplicates(samples, keys, vectors, codes)
    assert found.equals(list_duplicates(samples[::-1], keys, vectors, codes))
    order = np.array([4, 2, 0, 1, 3])
    turned = link_near(vectors[order], least=0.98)
    again = list_duplicates(samples, keys.gather(order), vectors[order], turned)
    assert set(again["sample_id"]) == set(found["sample_id"])
    assert again["size"].to_list() == found["size"].to_list()


def test_nothing_is_a_duplicate_of_nothing() -> None:
    samples, keys, vectors = write_samples()
    lone = samples.filter(pl.col("sample_id").is_in(["s0", "s4"]))
    assert list_duplicates(lone, keys, vectors, np.arange(5)).is_empty()
