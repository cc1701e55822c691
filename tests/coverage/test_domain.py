"""Coverage of the domain: counts against a slow oracle, and plans that hold what they promise."""

from itertools import combinations, product
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.coverage.collection import plan_collection
from pipeline.coverage.combinations import count_combinations
from pipeline.exceptions import ConfigError, TableError
from pipeline.tables import COMBINATIONS

Predicates = tuple[tuple[str, str], ...]
Table = tuple[pl.DataFrame, dict[str, list[str]]]
VALUES = {"light": ["day", "night"], "age": ["child", "adult", "old"], "chair": ["yes", "no"]}


def write(predicates: list[dict[str, str]]) -> Predicates:
    return tuple((p["attribute"], p["value"]) for p in predicates)


def read_counts(frame: pl.DataFrame) -> dict[Predicates, tuple[int, str]]:
    columns = zip(frame["predicates"].to_list(), frame["n"], frame["state"], strict=True)
    return {write(predicates): (n, state) for predicates, n, state in columns}


def count_slowly(
    rows: list[dict[str, str]], values: dict[str, list[str]], level: int
) -> dict[Predicates, int]:
    """Count every combination by looking at every row."""
    counts = {}
    for names in combinations(sorted(values), level):
        for own in product(*(values[name] for name in names)):
            pairs = tuple(zip(names, own, strict=True))
            counts[pairs] = sum(all(row[a] == v for a, v in pairs) for row in rows)
    return counts


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw up to 40 rows of one to four attributes, with values that no row has."""
    names = draw(st.lists(st.sampled_from("cabd"), min_size=1, max_size=4, unique=True))
    sizes = {name: draw(st.integers(1, 4)) for name in names}
    values = {name: [f"{name}{k}" for k in range(size)] for name, size in sizes.items()}
    row = st.fixed_dictionaries({n: st.sampled_from([*values[n], "unknown"]) for n in names})
    rows = draw(st.lists(row, max_size=40))
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String)), values


@pytest.mark.slow
@given(tables(), st.integers(1, 3), st.integers(1, 6), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_counts_equal_those_of_the_slow_oracle(
    table: Table, level: int, min_samples: int, random: Random
) -> None:
    frame, values = table
    found = count_combinations(frame, level=level, min_samples=min_samples, values=values)
    expected = count_slowly(frame.to_dicts(), values, min(level, len(values)))
    states = {
        pairs: (n, "covered" if n >= min_samples else "rare" if n else "missing")
        for pairs, n in expected.items()
    }
    assert read_counts(found) == states
    assert found.height == len(states)
    assert dict(found.schema) == dict(COMBINATIONS)
    shuffled = frame[random.sample(range(frame.height), frame.height)]
    turned = shuffled.select(sorted(frame.columns, reverse=True))
    again = count_combinations(turned, level=level, min_samples=min_samples, values=values)
    assert again.equals(found)


@given(tables(), st.integers(1, 3), st.integers(1, 6))
@settings(max_examples=150)
def test_collecting_the_whole_plan_covers_everything(
    table: Table, level: int, min_samples: int
) -> None:
    frame, values = table
    before = count_combinations(frame, level=level, min_samples=min_samples, values=values)
    plan = plan_collection(before, min_samples=min_samples, top=None)
    lack = (min_samples - before["n"]).clip(lower_bound=0)
    assert plan["missing"].sum() <= lack.sum()  # never more than each combination alone
    assert (plan["missing"] > 0).all()
    assert (plan["covers"] > 0).all()
    collected = [
        {**dict.fromkeys(frame.columns, "unknown"), **dict(write(predicates))}
        for predicates, missing in zip(plan["predicates"].to_list(), plan["missing"], strict=True)
        for _ in range(missing)
    ]
    grown = pl.concat([frame, pl.DataFrame(collected, schema=frame.schema)])
    after = count_combinations(grown, level=level, min_samples=min_samples, values=values)
    assert (after["state"] == "covered").all()


@given(tables(), st.integers(1, 3), st.integers(1, 6))
@settings(max_examples=50)
def test_covers_counts_the_lacking_combinations_inside_the_first_row(
    table: Table, level: int, min_samples: int
) -> None:
    frame, values = table
    counts = count_combinations(frame, level=level, min_samples=min_samples, values=values)
    plan = plan_collection(counts, min_samples=min_samples)
    lacking = [pairs for pairs, (n, _) in read_counts(counts).items() if n < min_samples]
    assert plan.is_empty() == (not lacking)
    if lacking:
        row = set(write(plan["predicates"][0].to_list()))
        assert plan["covers"][0] == sum(set(pairs) <= row for pairs in lacking)


def make_crossing() -> pl.DataFrame:
    """Make 40 rows in which children at night are rare."""
    rows = [("day", "child")] * 18 + [("day", "adult")] * 10
    rows += [("night", "child")] * 2 + [("night", "adult")] * 10
    return pl.DataFrame(rows, schema=["light", "age"], orient="row")


def test_expected_is_the_count_under_independence() -> None:
    counts = count_combinations(make_crossing(), level=2, min_samples=10)
    expected = {
        write(p): e for p, e in zip(counts["predicates"].to_list(), counts["expected"], strict=True)
    }
    assert expected[("age", "child"), ("light", "night")] == pytest.approx(40 * 0.5 * 0.3)
    assert expected[("age", "adult"), ("light", "day")] == pytest.approx(40 * 0.5 * 0.7)


def test_missing_comes_first_then_rare_then_covered() -> None:
    frame = make_crossing().with_columns(chair=pl.lit("no"))
    counts = count_combinations(frame, level=2, min_samples=12, values=VALUES)
    states = counts["state"].to_list()
    assert states == sorted(states, key=["missing", "rare", "covered"].index)
    rows = list(zip(counts["n"], -counts["expected"], strict=True))
    assert rows == sorted(rows)
    assert write(counts.filter(pl.col("state") == "rare")["predicates"][0].to_list()) == (
        ("age", "child"),
        ("light", "night"),
    )


def test_values_never_seen_are_missing() -> None:
    counts = count_combinations(make_crossing(), level=1, min_samples=5, values=VALUES)
    assert read_counts(counts)[(("age", "old"),)] == (0, "missing")
    assert read_counts(count_combinations(make_crossing(), level=1, min_samples=5)).keys() == {
        (("age", "adult"),),
        (("age", "child"),),
        (("light", "day"),),
        (("light", "night"),),
    }


def test_unknown_is_no_value_to_cover_but_dilutes_what_is_expected() -> None:
    frame = pl.DataFrame({"a": ["x", "x", "unknown", "unknown"], "b": ["y"] * 4})
    counts = count_combinations(frame, level=2, min_samples=1, values={"a": ["x", "unknown"]})
    assert counts.rows() == [
        ([{"attribute": "a", "value": "x"}, {"attribute": "b", "value": "y"}], 2, 2.0, "covered")
    ]


def test_an_attribute_that_is_always_unknown_is_left_out() -> None:
    frame = pl.DataFrame({"a": ["x", "z"], "b": ["unknown"] * 2})
    counts = count_combinations(frame, level=2, min_samples=1)
    assert read_counts(counts) == {(("a", "x"),): (1, "covered"), (("a", "z"),): (1, "covered")}


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": []}),
        pl.DataFrame({"a": []}, schema={"a": pl.String}),
        pl.DataFrame({"a": ["unknown"]}),
    ],
)
def test_nothing_to_cover_gives_empty_tables(frame: pl.DataFrame) -> None:
    counts = count_combinations(frame, level=2, min_samples=3)
    assert counts.is_empty()
    assert dict(counts.schema) == dict(COMBINATIONS)
    plan = plan_collection(counts, min_samples=3)
    assert plan.is_empty()
    assert plan.columns == ["predicates", "missing", "covers"]


def test_without_rows_every_listed_combination_is_missing() -> None:
    frame = pl.DataFrame(schema=dict.fromkeys(VALUES, pl.String))
    counts = count_combinations(frame, level=3, min_samples=7, values=VALUES)
    assert counts.height == 12
    assert counts["expected"].sum() == 0
    assert plan_collection(counts, min_samples=7, top=None)["missing"].sum() == 7 * 12


def test_one_kind_of_sample_serves_every_attribute_at_level_one() -> None:
    """Three attributes of two, three and two values need three kinds of samples, not seven."""
    frame = pl.DataFrame(schema=dict.fromkeys(VALUES, pl.String))
    counts = count_combinations(frame, level=1, min_samples=5, values=VALUES)
    plan = plan_collection(counts, min_samples=5, top=None)
    assert plan["missing"].to_list() == [5, 5, 5]
    assert plan["covers"].to_list() == [3, 3, 1]


def test_a_row_asks_for_as_many_samples_as_help_half_of_what_it_covers() -> None:
    lacks = {"a": 9, "b": 5, "c": 1}
    counts = pl.DataFrame(
        [
            {"predicates": [{"attribute": name, "value": "x"}], "n": 10 - lack, "expected": 0.0,
             "state": "rare"}
            for name, lack in lacks.items()
        ],
        schema=dict(COMBINATIONS),
    )  # fmt: skip
    plan = plan_collection(counts, min_samples=10)
    rows = zip(plan["predicates"].to_list(), plan["missing"], plan["covers"], strict=True)
    assert [(write(p), missing, covers) for p, missing, covers in rows] == [
        ((("a", "x"), ("b", "x"), ("c", "x")), 5, 3),
        ((("a", "x"),), 4, 1),
    ]


def test_top_keeps_the_first_rows_of_the_plan() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({name: [f"{name}{v}" for v in rng.integers(0, 4, 60)] for name in "abcde"})
    counts = count_combinations(frame, level=2, min_samples=9)
    whole = plan_collection(counts, min_samples=9, top=None)
    assert whole.height > 4
    assert plan_collection(counts, min_samples=9, top=4).equals(whole.head(4))
    alone = (9 - counts["n"]).clip(lower_bound=0).sum()
    assert whole["missing"].sum() < alone / 2  # shares its samples: 10 pairs of attributes each


def test_rows_beyond_one_block_are_counted() -> None:
    n = 300_001
    frame = pl.DataFrame({"a": ["x"] * n, "b": ["y"] * (n - 1) + ["z"], "c": ["w"] * n})
    counts = read_counts(count_combinations(frame, level=3, min_samples=2))
    assert counts[("a", "x"), ("b", "y"), ("c", "w")] == (n - 1, "covered")
    assert counts[("a", "x"), ("b", "z"), ("c", "w")] == (1, "rare")


def test_exclusive_attributes_are_neither_combined_nor_asked_for_together() -> None:
    rows = {"small": ["yes", "no"], "height": ["low", "high"], "hat": ["yes", "no"]}
    frame = pl.DataFrame({"small": ["yes"], "height": ["low"], "hat": ["yes"]})
    exclusive = [["height", "small"]]
    for level in (2, 3):
        found = count_combinations(
            frame, level=level, min_samples=3, values=rows, exclusive=exclusive
        )
        names = [tuple(p["attribute"] for p in row) for row in found["predicates"]]
        assert set(names) == {("hat", "height"), ("hat", "small")}
        assert found.height == 8
        plan = plan_collection(found, min_samples=3, top=None, exclusive=exclusive)
        planned = [{p["attribute"] for p in row} for row in plan["predicates"]]
        assert planned
        assert not any({"height", "small"} <= one for one in planned)
    free = plan_collection(found, min_samples=3, top=None)
    assert any(len(row) == 3 for row in free["predicates"])


def test_too_many_combinations_are_refused_with_a_way_out() -> None:
    frame = pl.DataFrame({"id": [f"{k}" for k in range(60_000)], "a": ["x", "y"] * 30_000,
                          "b": ["p", "q"] * 30_000})  # fmt: skip
    with pytest.raises(ConfigError, match=r"240,004 combinations.*'id' \(60,000\)"):
        count_combinations(frame, level=2, min_samples=1)
    assert count_combinations(frame, level=1, min_samples=1).height == 60_004


def test_every_bad_column_is_told_at_once() -> None:
    frame = pl.DataFrame({"a": ["x", None], "b": [0.5, 1.0], "c": ["y", "y"]})
    with pytest.raises(TableError) as told:
        count_combinations(frame, level=1, min_samples=1)
    assert "column 'a': 1 empty values" in str(told.value)
    assert "column 'b' is Float64; expected text" in str(told.value)
    assert "'c'" not in str(told.value)


@pytest.mark.parametrize(("level", "min_samples"), [(0, 1), (1, 0)])
def test_levels_and_minimums_below_one_are_refused(level: int, min_samples: int) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        count_combinations(make_crossing(), level=level, min_samples=min_samples)
