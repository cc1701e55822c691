"""The scan finds what float64 over all rows finds, by every kernel; equal scores by place."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.arrays import Ints
from pipeline.retrieval.int8_codes import find_nearest_by_codes, make_codes
from pipeline.retrieval.nearest import (
    Backend,
    bound_error,
    find_kth_largest,
    find_nearest,
    rank_exactly,
    score_rows,
)

Halves = NDArray[np.float16]
Query = NDArray[np.float32]
BACKENDS: tuple[Backend, ...] = ("numba", "numpy")


def draw_vectors(rng: np.random.Generator, n: int, d: int) -> Halves:
    values = rng.normal(size=(n, d))
    unit: Halves = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)
    return unit


def draw_query(rng: np.random.Generator, d: int) -> Query:
    query = rng.normal(size=d)
    return (query / np.linalg.norm(query)).astype(np.float32)


def brute_force(vectors: Halves, query: Query, top: int, rows: Ints | None = None) -> list[int]:
    listed = np.arange(len(vectors)) if rows is None else rows
    exact = rank_exactly(vectors, query, listed)
    return sorted(range(len(listed)), key=lambda place: (-exact[place], place))[:top]


def make_equal(rng: np.random.Generator, n: int, d: int) -> tuple[Halves, Query]:
    """All rows the same."""
    return np.repeat(draw_vectors(rng, 1, d), n, axis=0), draw_query(rng, d)


def make_close(rng: np.random.Generator, n: int, d: int) -> tuple[Halves, Query]:
    """Rows that differ in the last bit of one number: scores differ by less than float32 sees."""
    vectors = np.repeat(draw_vectors(rng, 1, d), n, axis=0)
    places = rng.integers(0, d, n)
    up = rng.random(n) < 0.5
    for row in range(n):
        if up[row]:
            old = vectors[row, places[row]]
            vectors[row, places[row]] = np.nextafter(old, np.float16(9))
    return vectors, draw_query(rng, d)


def make_repeated(rng: np.random.Generator, n: int, d: int) -> tuple[Halves, Query]:
    """A few vectors, each many times, and the query one of them."""
    few = draw_vectors(rng, 3, d)
    return few[rng.integers(0, 3, n)], few[0].astype(np.float32)


def make_sparse(rng: np.random.Generator, n: int, d: int) -> tuple[Halves, Query]:
    """One large number and subnormal float16 beside it: int8 keeps the large one alone."""
    vectors = (rng.normal(size=(n, d)) * 3e-5).astype(np.float16)
    vectors[np.arange(n), rng.integers(0, d, n)] = 1.0
    query = draw_query(rng, d)
    query[rng.integers(0, d)] = 1.0
    return vectors, query


def make_orthogonal(rng: np.random.Generator, n: int, d: int) -> tuple[Halves, Query]:
    """Scores around zero, of both signs, and some rows of nothing but zeros."""
    vectors = draw_vectors(rng, n, d)
    vectors[:, 0] = 0
    vectors[rng.random(n) < 0.2] = 0
    query = np.zeros(d, np.float32)
    query[0] = 1
    return vectors, query


def make_normal(rng: np.random.Generator, n: int, d: int) -> tuple[Halves, Query]:
    return draw_vectors(rng, n, d), draw_query(rng, d)


Make = Callable[[np.random.Generator, int, int], tuple[Halves, Query]]
MAKERS: tuple[Make, ...] = (
    make_normal, make_equal, make_close, make_repeated, make_sparse, make_orthogonal,
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    make=st.sampled_from(MAKERS),
    n=st.integers(1, 160),
    d=st.sampled_from([2, 3, 16, 33, 96]),
    top=st.integers(1, 40),
    backend=st.sampled_from(BACKENDS),
)
def test_int8_and_float16_give_what_float64_gives(
    seed: int, make: Make, n: int, d: int, top: int, backend: Backend
) -> None:
    vectors, query = make(np.random.default_rng(seed), n, d)
    wanted = brute_force(vectors, query, top)
    assert find_nearest(vectors, query, top, backend=backend).places.tolist() == wanted
    by_codes, read = find_nearest_by_codes(
        make_codes(vectors), vectors, query, top, backend=backend
    )
    assert by_codes.places.tolist() == wanted
    assert len(wanted) <= read <= n


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.lists(st.integers(0, 59), max_size=120),
    backend=st.sampled_from(BACKENDS),
)
def test_listed_rows_of_any_order_and_repeats_are_ranked_alone(
    seed: int, rows: list[int], backend: Backend
) -> None:
    rng = np.random.default_rng(seed)
    vectors, query = draw_vectors(rng, 60, 24), draw_query(rng, 24)
    listed = np.array(rows, np.int64)
    found = find_nearest(vectors, query, 7, listed, backend=backend)
    wanted = brute_force(vectors, query, 7, listed)
    assert found.places.tolist() == wanted
    by_codes, _ = find_nearest_by_codes(
        make_codes(vectors), vectors, query, 7, listed, backend=backend
    )
    assert by_codes.places.tolist() == wanted


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_finite_float16_is_read_exactly(backend: Backend) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)].reshape(-1, 1)
    scores = score_rows(finite, np.ones(1, np.float32), backend=backend)
    np.testing.assert_array_equal(scores, finite[:, 0].astype(np.float32))


@pytest.mark.parametrize("backend", BACKENDS)
def test_scores_of_many_blocks_are_within_their_bound(backend: Backend) -> None:
    rng = np.random.default_rng(5)
    vectors, query = draw_vectors(rng, 70_000, 32), draw_query(rng, 32)
    exact = rank_exactly(vectors, query, np.arange(len(vectors)))
    worst = np.abs(score_rows(vectors, query, backend=backend) - exact).max()
    assert worst <= bound_error(32, query) < 1e-5
    rows = rng.choice(70_000, 20_000, replace=False)
    listed = score_rows(vectors, query, rows, backend=backend)
    assert np.abs(listed - exact[rows]).max() <= bound_error(32, query)


def test_int8_reads_few_rows() -> None:
    rng = np.random.default_rng(6)
    vectors, query = draw_vectors(rng, 20_000, 128), draw_query(rng, 128)
    found, read = find_nearest_by_codes(make_codes(vectors), vectors, query, 50)
    assert found.places.tolist() == brute_force(vectors, query, 50)
    assert read < 400


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 5000), k=st.integers(1, 30))
def test_the_kth_largest_is_never_overstated(seed: int, n: int, k: int) -> None:
    scores = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    k = min(k, n)
    true = np.sort(scores)[n - k]
    assert find_kth_largest(scores, k) <= true
    assert np.count_nonzero(scores >= find_kth_largest(scores, k)) <= 40 * k + 64
