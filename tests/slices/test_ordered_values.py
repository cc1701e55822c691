"""Runs of adjacent values: counted as brute force counts them, found, tested and read back."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.exceptions import SearchError, TableError
from pipeline.predicates import select_rows
from pipeline.slices import audit_slices, find_weaknesses, search_slices
from pipeline.slices.counting.fixed_point import prepare_losses
from tests.slices.brute_force import by_predicates
from tests.slices.ordered_force import search_runs_by_force

Floats = NDArray[np.float64]
AGE = ("baby", "child", "adult", "senior")
ENGINES = [("cube", "numba"), ("cube", "numpy"), ("depth-first", "numba"), ("depth-first", "numpy")]


def draw_problem(seed: int) -> tuple[pl.DataFrame, Floats, Floats | None, dict[str, Any]]:
    """Draw a small table of ordered and other attributes, some values rare, some "unknown"."""
    rng = np.random.default_rng([seed, 19])
    n = int(rng.integers(4, 150))
    columns: dict[str, list[str]] = {}
    orders: dict[str, tuple[str, ...]] = {}
    for j in range(int(rng.integers(1, 4))):
        values = [f"v{v}" for v in rng.permutation(int(rng.integers(1, 11 if j == 0 else 6)))]
        shares = rng.dirichlet(np.full(len(values), 0.7))
        column = rng.choice(np.array(values, object), n, p=shares)
        if rng.random() < 0.4:
            column[rng.random(n) < 0.2] = "unknown"
        columns[f"a{j}"] = column.tolist()
        if rng.random() < 0.7:
            orders[f"a{j}"] = tuple(values)
    errors = [
        (rng.random(n) < rng.random()).astype(float),
        rng.gamma(0.5, 2.0, n),
        rng.integers(0, 4, n).astype(float),
    ][int(rng.integers(0, 3))]
    weights = rng.random(n) + 0.1 if rng.random() < 0.3 else None
    options = {"max_level": int(rng.integers(1, 4)), "min_support": float(rng.choice([1, 2, 7]))}
    return pl.DataFrame(columns), errors, weights, {"orders": orders, **options}


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "backend"), ENGINES)
def test_every_run_is_counted_as_brute_force_counts_it(engine: str, backend: str) -> None:
    with_runs = 0
    for seed in range(150 if (engine, backend) == ENGINES[0] else 40):
        table, errors, weights, options = draw_problem(seed)
        orders = options.pop("orders")
        want = search_runs_by_force(table, errors, orders, weights=weights, **options)
        family = search_slices(
            table, errors, weights=weights, ordered=orders, engine=engine, backend=backend,
            **options,
        )  # fmt: skip
        got = by_predicates(family)
        assert set(got) == set(want), seed
        for predicates, row in got.items():
            for name, value in want[predicates].items():
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (seed, predicates)
        with_runs += any(" " in value for slice_ in got for _, value in slice_)
    assert with_runs > 10


@pytest.mark.slow
def test_backends_give_the_same_bytes_with_and_without_clusters() -> None:
    for seed in range(200, 230):
        table, errors, _, options = draw_problem(seed)
        orders = options.pop("orders")
        clusters = np.random.default_rng(seed).integers(0, table.height // 2 + 1, table.height)
        for cluster_ids in (None, clusters):
            results = [
                audit_slices(
                    table, errors, cluster_ids=cluster_ids, ordered=orders, backend=backend,
                    permutations=20, show_insufficient=3, **options,
                )
                for backend in ("numba", "numpy")
            ]  # fmt: skip
            one, other = (result.family for result in results)
            assert one.drop("p", "q").equals(other.drop("p", "q")), seed
            for name in ("p", "q"):  # cluster sums are floats, added in another order
                assert one[name].to_numpy() == pytest.approx(other[name].to_numpy(), abs=1e-9)


def test_p_of_a_run_with_clusters_is_that_of_its_values_merged() -> None:
    rng = np.random.default_rng(0)
    n = 900
    table = pl.DataFrame({"age": rng.choice(AGE, n), "hat": rng.choice(["no", "yes"], n)})
    errors = rng.gamma(0.5, 1.0, n)
    clusters = rng.integers(0, 300, n)
    runs = audit_slices(table, errors, cluster_ids=clusters, ordered={"age": AGE}, max_level=2)
    merged = table.with_columns(age=pl.col("age").replace({"adult": "old", "senior": "old"}))
    single = audit_slices(merged, errors, cluster_ids=clusters, max_level=2)
    got, want = by_predicates(runs.family), by_predicates(single.family)
    for hat in ((), (("hat", "yes"),), (("hat", "no"),)):
        one, other = got[("age", "adult or senior"), *hat], want[("age", "old"), *hat]
        assert one["n"] == other["n"]
        assert one["p"] == pytest.approx(other["p"], rel=1e-9)


def test_the_family_holds_each_run_once_and_no_run_of_all_values() -> None:
    table = pl.DataFrame({"age": [*AGE, "unknown"] * 20})
    family = search_slices(table, np.arange(100.0), ordered={"age": AGE}, min_support=1)
    values = {row["predicates"][0]["value"] for row in family.iter_rows(named=True)}
    pairs = {"baby or child", "child or adult", "adult or senior"}
    assert values == {*AGE, "unknown", *pairs, "baby to adult", "child to senior"}
    assert family.height == len(values)


def test_beyond_eight_values_runs_hold_the_first_or_the_last() -> None:
    order = [f"v{i}" for i in range(9)]
    table = pl.DataFrame({"a": order * 10})
    family = search_slices(table, np.ones(90), ordered={"a": order}, min_support=1)
    assert family.height == 3 * 9 - 4
    values = {row["predicates"][0]["value"] for row in family.iter_rows(named=True)}
    assert {"v0 or v1", "v0 to v7", "v1 to v8", "v7 or v8"} <= values
    assert "v1 or v2" not in values


def plant_crowding(seed: int = 4) -> tuple[pl.DataFrame, Floats]:
    """A table in which crowding above 0.1 fails more, its rows in bins of 106 and 14."""
    rng = np.random.default_rng(seed)
    crowding = np.repeat(["<= 0.1", "(0.1, 0.5]", "> 0.5"], [880, 106, 14])
    crowded = crowding != "<= 0.1"
    errors = np.zeros(1000)
    errors[crowded] = rng.permutation(np.arange(120) < 78)  # 65 %
    errors[~crowded] = rng.permutation(np.arange(880) < 378)  # 43 %
    others = {f"x{j}": rng.choice(["a", "b", "c"], 1000) for j in range(4)}
    order = rng.permutation(1000)
    return pl.DataFrame({"crowding": crowding, **others})[order], errors[order]


CROWDING = ("<= 0.1", "(0.1, 0.5]", "> 0.5")


def test_what_two_bins_share_is_found_though_one_of_them_is_too_small() -> None:
    table, errors = plant_crowding()
    found = find_weaknesses(
        table, errors, ordered={"crowding": CROWDING}, min_support=20, max_level=2
    )
    worst = found.row(0, named=True)
    assert worst["predicates"] == [{"attribute": "crowding", "value": "> 0.1"}]
    assert (worst["n"], round(worst["error"], 2), worst["state"]) == (120, 0.65, "confirmed")
    assert worst["rest_error"] == pytest.approx(0.43, abs=0.005)


def test_a_run_is_confirmed_on_the_held_out_rows_of_its_values() -> None:
    table, errors = plant_crowding()
    table, errors = pl.concat([table] * 4), np.tile(errors, 4)
    found = find_weaknesses(
        table, errors, ordered={"crowding": CROWDING}, min_support=20, confirm=0.5, max_level=1
    )
    runs = [p for p in found["predicates"].to_list() if p[0]["value"] == "> 0.1"]
    assert runs
    row = by_predicates(found)[(("crowding", "> 0.1"),)]
    inside = select_rows(table, runs[0], orders={"crowding": CROWDING})
    assert row["n"] + row["holdout_n"] == inside.sum() == 480


def test_categories_of_an_enum_are_ordered() -> None:
    table, errors = plant_crowding()
    declared = search_slices(table, errors, ordered={"crowding": CROWDING})
    enum = table.with_columns(pl.col("crowding").cast(pl.Enum(CROWDING)))
    assert search_slices(enum, errors).equals(declared)
    assert search_slices(table, errors).height < declared.height


def test_the_order_of_rows_changes_no_byte() -> None:
    table, errors = plant_crowding()
    order = np.random.default_rng(1).permutation(1000)
    first, second = (
        find_weaknesses(t, e, ordered={"crowding": CROWDING}, permutations=50)
        for t, e in ((table, errors), (table[order], errors[order]))
    )
    assert first.equals(second)


def test_an_excluded_value_is_in_no_run() -> None:
    table = pl.DataFrame({"age": [*AGE, "unknown"] * 20})
    family = search_slices(
        table, np.arange(100.0), ordered={"age": AGE}, min_support=1, must_not=[("age", "child")]
    )
    values = {row["predicates"][0]["value"] for row in family.iter_rows(named=True)}
    assert values == {"baby", "adult", "senior", "unknown", "adult or senior"}


def test_exclusive_attributes_are_not_in_one_slice() -> None:
    table, errors = plant_crowding()
    table = table.with_columns(again=pl.col("crowding"))
    for engine in ("cube", "depth-first"):
        family = search_slices(
            table, errors, ordered={"crowding": CROWDING}, exclusive=[["crowding", "again"]],
            engine=engine,
        )  # fmt: skip
        names = [{p["attribute"] for p in slice_} for slice_ in family["predicates"]]
        assert any("again" in one for one in names)
        assert not any({"again", "crowding"} <= one for one in names)
    with pytest.raises(SearchError, match="exclusive names the attribute 'height'"):
        search_slices(table, errors, exclusive=[["crowding", "height"]])


def test_an_order_that_lacks_a_value_is_refused() -> None:
    table, errors = plant_crowding()
    with pytest.raises(TableError, match=r"it lacks '> 0\.5'"):
        search_slices(table, errors, ordered={"crowding": ["<= 0.1", "(0.1, 0.5]"]})
    with pytest.raises(TableError, match="'height', which is no column"):
        search_slices(table, errors, ordered={"height": ["a", "b"]})


def test_sliceline_searches_single_values_and_says_so() -> None:
    table, errors = plant_crowding()
    result = audit_slices(table, errors, ordered={"crowding": CROWDING}, engine="sliceline")
    assert "single values only" in result.search.reason
    assert result.search.ordered == ()


@pytest.mark.slow
def test_without_room_for_runs_all_single_values_are_counted() -> None:
    rng = np.random.default_rng(0)
    order = [f"v{i}" for i in range(8)]
    table = pl.DataFrame({f"a{j}": rng.choice(order, 3000) for j in range(6)})
    orders = dict.fromkeys(table.columns, order)
    wide = audit_slices(table, np.ones(3000), ordered=orders, min_support=20, permutations=0)
    assert wide.search.ordered == tuple(table.columns)
    tight = audit_slices(
        table, np.ones(3000), ordered=orders, min_support=20, permutations=0, memory=1.7e8
    )
    assert tight.search.engine == "cube"
    assert tight.search.ordered == ()
    assert "single values only" in tight.search.reason


def test_the_estimate_is_no_less_than_what_is_counted() -> None:
    from pipeline.slices.counting.encode import encode_table
    from pipeline.slices.options import SearchOptions
    from pipeline.slices.search import prepare_search, run_search

    for seed in range(60):
        table, errors, weights, options = draw_problem(seed)
        codes = encode_table(table, orders=options.pop("orders"))
        losses = prepare_losses(errors, weights, rows=table.height)
        search = prepare_search(codes, losses, SearchOptions(**options))
        assert len(run_search(search).family) <= search.possible_slices, seed
