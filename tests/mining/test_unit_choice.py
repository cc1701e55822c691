"""Budgets are shared out, near duplicates are left out, and what is chosen is likely and apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrays import Array
from pipeline.mining.unit_choice import choose_units, find_near, share_budget, shortlist


def unit(values: Array) -> Array:
    made: Array = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return made


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=8), st.integers(1, 300))
def test_a_budget_is_shared_out_whole(shares: list[float], budget: int) -> None:
    quotas = share_budget(shares, budget)
    assert sum(quotas) == budget
    assert min(quotas) >= (1 if budget >= len(shares) else 0)


def test_a_budget_follows_the_shares_with_the_largest_remainders() -> None:
    assert share_budget([0.5, 0.3, 0.2], 10) == [5, 3, 2]
    assert share_budget([0.0, 0.0], 5) == [3, 2]
    assert share_budget([0.1, 0.9, 0.0], 2) == [1, 1, 0]


def test_near_vectors_are_found_across_blocks() -> None:
    rng = np.random.default_rng(0)
    known = unit(rng.normal(size=(9_000, 8)))
    vectors = unit(np.concatenate([known[[10, 8_999]] + 0.001, -known[:1]]))
    expected = ((vectors @ known.T).max(axis=1) >= 0.999).tolist()
    assert find_near(vectors, known, least=0.999).tolist() == expected
    assert expected[:2] == [True, True]


def test_of_near_duplicates_one_is_chosen_and_the_likely_come_before_the_unlikely() -> None:
    vectors = unit(np.array([[1, 0, 0], [1, 0.01, 0], [0, 1, 0], [0, 0, 1]], np.float64))
    probabilities = np.array([[0.9], [0.89], [0.8], [0.1]])
    chosen = choose_units(probabilities, vectors, [2], apart=0.99)
    assert chosen.rows.tolist() == [0, 2]
    every = choose_units(probabilities, vectors, [9], apart=0.99)
    assert every.rows.tolist() == [0, 2, 3]  # the twin is never taken


def test_what_is_chosen_for_one_finding_is_not_chosen_for_another() -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng.normal(size=(60, 16)))
    probabilities = rng.random((60, 3))
    chosen = choose_units(probabilities, vectors, [10, 5, 20], apart=0.999)
    assert len(set(chosen.rows.tolist())) == 35
    assert np.bincount(chosen.findings).tolist() == [10, 5, 20]


def test_diverse_units_are_preferred_among_equally_likely_ones() -> None:
    rng = np.random.default_rng(2)
    crowd = np.array([1.0, 0, 0, 0]) + 0.15 * rng.normal(size=(20, 4))
    odd = np.array([[0.2, 1.0, 0, 0], [0.2, 0, 1.0, 0]])
    vectors = unit(np.concatenate([crowd, odd]))
    chosen = choose_units(np.full((22, 1), 0.8), vectors, [6], apart=0.9999)
    assert {20, 21} <= set(chosen.rows.tolist())


def test_the_shortlist_holds_the_likeliest_of_every_finding() -> None:
    probabilities = np.array([[0.9, 0.0], [0.8, 0.1], [0.0, 0.7], [0.0, 0.0], [0.0, 0.0]] * 40)
    rows = shortlist(probabilities, [2, 1])
    assert set(np.argsort(-probabilities[:, 0], kind="stable")[:2]) <= set(rows.tolist())
    assert set(np.argsort(-probabilities[:, 1], kind="stable")[:1]) <= set(rows.tolist())
    assert len(rows) < 200


@pytest.mark.parametrize("quotas", [[0], [0, 0]])
def test_without_a_budget_nothing_is_chosen(quotas: list[int]) -> None:
    vectors = unit(np.eye(3))
    chosen = choose_units(np.ones((3, len(quotas))), vectors, quotas, apart=0.9)
    assert len(chosen.rows) == 0
