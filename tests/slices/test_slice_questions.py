"""Options of a search: conditions are kept to, invalid options refused."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.exceptions import SearchError, TableError
from pipeline.slices import search_slices
from tests.slices.brute_force import by_predicates
from tests.slices.planted import plant


def test_minimum_support_is_inclusive_and_free_of_rounding() -> None:
    table = pl.DataFrame({"a": ["x"] * 7 + ["y"] * 93})
    found = search_slices(table, np.ones(100), min_support=0.07)  # 0.07 * 100 > 7 in floats
    assert found["n"].to_list() == [93, 7]


def test_must_and_must_not_keep_to_what_is_asked() -> None:
    planted = plant(12, 2000)
    pair = ("a1", planted.table["a1"][0])
    asked = by_predicates(search_slices(planted.table, planted.errors, must=["a0", pair]))
    every = by_predicates(search_slices(planted.table, planted.errors))
    want = {s for s in every if pair in s and any(name == "a0" for name, _ in s)}
    assert set(asked) == want
    assert want
    left = by_predicates(search_slices(planted.table, planted.errors, must_not=["a0", pair]))
    assert set(left) == {s for s in every if pair not in s and all(n != "a0" for n, _ in s)}
    assert all(left[s]["score"] == every[s]["score"] for s in left)


def test_unknown_values_can_be_left_out_without_losing_their_rows() -> None:
    table = pl.DataFrame({"hat": ["yes", "no", "unknown", "unknown"] * 10})
    errors = np.tile([1.0, 0.0, 1.0, 0.0], 10)
    found = search_slices(table, errors, exclude_unknown=True, min_support=1)
    assert [s[0]["value"] for s in found["predicates"]] == ["yes", "no"]
    assert found["rest_error"][0] == pytest.approx(1 / 3)
    assert search_slices(table, errors, min_support=1).height == 3


def test_better_slices_are_the_ones_with_small_errors() -> None:
    table = pl.DataFrame({"a": ["x", "y"] * 50})
    errors = np.tile([0.1, 0.9], 50) + np.random.default_rng(0).random(100) * 0.01
    best = search_slices(table, errors, direction="better").row(0, named=True)
    assert best["predicates"] == [{"attribute": "a", "value": "x"}]
    assert best["p"] < 1e-9


def test_faulty_errors_are_refused_with_their_rows() -> None:
    table = pl.DataFrame({"a": ["x", "y", "x", "y"]})
    with pytest.raises(TableError) as caught:
        search_slices(table, np.array([0.0, np.nan, -1.0, np.inf]))
    message = str(caught.value)
    assert "not a number in rows 2;" in message
    assert "negative in rows 3;" in message
    assert "infinite in rows 4;" in message


@pytest.mark.parametrize(
    ("errors", "weights", "message"),
    [
        (np.ones(3), None, r"shape \(3,\), expected \(4,\)"),
        (np.ones(4), np.array([1, 0, 1, 1]), "weights are 0 in rows 2"),
        (np.ones(4), np.array([1, -1, 1, 1]), "weights are negative in rows 2"),
        (np.array([1, 1e200, 1, 1]), None, "errors are above 1e.150 in rows 2"),
        (["a"] * 4, None, "errors are not numbers"),
    ],
)
def test_faulty_arrays_are_refused(errors: Any, weights: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        search_slices(pl.DataFrame({"a": ["x", "y", "x", "y"]}), errors, weights=weights)


def test_faulty_columns_are_all_named_at_once() -> None:
    table = pl.DataFrame({"a": ["x", None], "b": [0.5, 1.5], "c": ["u", "v"], "d": [[1], [2]]})
    with pytest.raises(TableError) as caught:
        search_slices(table, np.ones(2))
    message = str(caught.value)
    assert "'a': 1 empty values (rows 2)" in message
    assert "'b' is Float64" in message
    assert "'d' is List" in message
    assert "3 problems" in message


def test_faulty_options_are_all_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "alpha": 0, "max_level": 5, "min_support": 0, "top": 0, "engine": "magic",
        "must": ["b"], "direction": "odd",
    }  # fmt: skip
    with pytest.raises(SearchError) as caught:
        search_slices(pl.DataFrame({"a": ["x"]}), np.ones(1), **wrong)
    for word in ("alpha", "max_level", "min_support", "top", "engine", "'b'", "direction"):
        assert word in str(caught.value)


def test_tables_without_rows_or_columns_are_refused() -> None:
    with pytest.raises(TableError, match="no rows"):
        search_slices(pl.DataFrame({"a": pl.Series([], dtype=pl.String)}), np.empty(0))
    with pytest.raises(TableError, match="no attribute columns"):
        search_slices(pl.DataFrame(), np.empty(0))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("hat", "the attribute 'hat'; the table has a"),
        (("a", "z"), "a = 'z'; its values are x, y"),
        (["a", "x"], r"\['a', 'x'\]: expected an attribute or a tuple"),
    ],
)
def test_conditions_that_cannot_be_are_refused(condition: Any, message: str) -> None:
    for name in ("must", "must_not"):
        options: dict[str, Any] = {name: [condition]}
        with pytest.raises(SearchError, match=message):
            search_slices(pl.DataFrame({"a": ["x", "y"]}), np.ones(2), **options)
