"""The `sliceline` package: an oracle where it is right, its three silent faults where it is not."""

import logging
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sliceline import Slicefinder

from pipeline.exceptions import SearchError
from pipeline.slices import search_slices

pytestmark = pytest.mark.filterwarnings("ignore")  # of the package's own making


def ask_the_package(
    codes: NDArray[Any], errors: NDArray[Any], *, top: int, level: int, support: int
) -> list[float]:
    finder = Slicefinder(alpha=0.95, k=top, max_l=level, min_sup=support, verbose=False)
    finder.fit(codes, errors)
    return [row["slice_score"] for row in finder.top_slices_statistics_][:top]


def to_table(codes: NDArray[Any]) -> pl.DataFrame:
    return pl.DataFrame({f"a{j:02d}": codes[:, j] for j in range(codes.shape[1])})


def our_scores(codes: NDArray[Any], errors: NDArray[Any], **options: Any) -> list[float]:
    top = options.pop("top")
    found = search_slices(to_table(codes), errors, **options)
    return found.filter(pl.col("score") > 0)["score"].to_list()[:top]


@pytest.mark.slow
@settings(max_examples=60)
@given(seed=st.integers(0, 100_000))
def test_scores_equal_the_packages_where_it_is_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(60, 200)), int(rng.integers(1, 6))
    codes = rng.integers(0, rng.integers(2, 6), (n, m))  # far fewer one-hot columns than rows
    errors = rng.gamma(0.5, 1.0, n) if rng.random() < 0.5 else (rng.random(n) < 0.2).astype(float)
    if errors.min() == errors.max():
        return
    level, support = int(rng.integers(1, 4)), int(rng.integers(2, 9))
    package = ask_the_package(codes, errors, top=8, level=level, support=support)
    for engine in ("cube", "sliceline"):
        ours = our_scores(codes, errors, top=8, max_level=level, min_support=support, engine=engine)
        assert ours == pytest.approx(package, abs=1e-9)


def compare_three(codes: NDArray[Any], errors: NDArray[Any], **options: Any) -> list[list[float]]:
    """Return the best scores of the package as it is, of the exact cube, of the repaired engine."""
    support, level, top = options["min_support"], options["max_level"], options["top"]
    return [
        ask_the_package(codes, errors, top=top, level=level, support=support),
        our_scores(codes, errors, engine="cube", **options),
        our_scores(codes, errors, engine="sliceline", **options),
    ]


def test_its_bound_prunes_good_slices_when_columns_outnumber_rows() -> None:
    wrong = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        codes, errors = rng.integers(0, 12, (40, 8)), rng.gamma(0.5, 1.0, 40)  # 96 columns
        package, cube, repaired = compare_three(codes, errors, top=10, max_level=3, min_support=2)
        assert repaired == pytest.approx(cube, abs=1e-9)
        wrong += package != pytest.approx(cube, abs=1e-9)
    assert wrong >= 4


@pytest.mark.slow
def test_its_candidate_ids_collide_beyond_25_attributes() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (600, 30))
    inside = (codes[:, [2, 27]] == 1).all(axis=1)
    errors = (rng.random(600) < np.where(inside, 0.9, 0.1)).astype(float)
    package, cube, repaired = compare_three(codes, errors, top=5, max_level=3, min_support=10)
    assert package[0] == pytest.approx(1.2818, abs=1e-4)
    assert cube[0] == pytest.approx(3.8912, abs=1e-4)
    assert repaired == pytest.approx(cube, abs=1e-9)


def test_small_integer_errors_overflow_in_it() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (2000, 4))
    inside = (codes[:, [0, 1]] == 1).all(axis=1)
    errors = (rng.random(2000) < np.where(inside, 0.9, 0.1)).astype(np.int8)
    package, cube, repaired = compare_three(codes, errors, top=3, max_level=2, min_support=20)
    assert package[0] == pytest.approx(0.8666, abs=1e-4)
    assert cube[0] == pytest.approx(2.9806, abs=1e-4)
    assert repaired == pytest.approx(cube, abs=1e-9)


def test_ties_give_no_more_than_top() -> None:
    codes = np.tile(np.array([[0, 0, 0], [1, 1, 1]]), (20, 1))
    errors = np.tile([1.0, 0.0], 20)
    found = search_slices(to_table(codes), errors, engine="sliceline", top=2, min_support=2)
    assert found.height == 2


def test_constant_errors_give_an_empty_family() -> None:
    codes = np.tile([[0], [1]], (10, 1))
    assert search_slices(to_table(codes), np.ones(20), engine="sliceline").height == 0


def test_its_log_level_is_left_alone() -> None:
    log = logging.getLogger("sliceline.slicefinder")
    before = log.level
    codes = np.tile([[0, 1], [1, 0]], (20, 1))
    search_slices(to_table(codes), np.tile([1.0, 0.0], 20), engine="sliceline")
    assert log.level == before


def test_what_it_cannot_do_is_refused() -> None:
    table = pl.DataFrame({"a": ["x", "y"] * 20, "b": ["u"] * 20 + ["v"] * 20})
    errors = np.tile([1.0, 0.0], 20)
    with pytest.raises(SearchError, match="no weights"):
        search_slices(table, errors, weights=np.full(40, 2.0), engine="sliceline")
    with pytest.raises(SearchError, match="worse slices only"):
        search_slices(table, errors, direction="better", engine="sliceline")
    with pytest.raises(SearchError, match=r"would need about .* GB"):
        search_slices(table, errors, engine="sliceline", memory=100)
