"""The search against brute force: every engine, backend, order and kind of table."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.slices import search_slices
from pipeline.tables import FAMILY
from tests.slices.brute_force import by_predicates, random_problem, search_by_force
from tests.slices.planted import plant

ENGINES = [("cube", "numba"), ("cube", "numpy"), ("depth-first", "numba"), ("depth-first", "numpy")]


def equals_brute_force(seed: int, engine: Any, backend: Any) -> bool:
    """Compare one random problem slice by slice; returns whether it had slices."""
    table, errors, weights, options = random_problem(seed)
    want = search_by_force(table, errors, weights=weights, **options)
    got = by_predicates(
        search_slices(table, errors, weights=weights, engine=engine, backend=backend, **options)
    )
    assert set(got) == set(want), seed
    for predicates, row in got.items():
        slow = want[predicates]
        assert row["score"] == pytest.approx(slow["score"], abs=1e-9), (seed, predicates)
        assert row["error"] == pytest.approx(slow["error"], abs=1e-9)
        assert row["max_error"] == slow["largest"]
        assert row["n"] == slow["n"]
    return bool(want)


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "backend", "seeds"), [(*ENGINES[0], range(500))])
def test_scores_equal_brute_force_on_500_random_tables(
    engine: str, backend: str, seeds: range
) -> None:
    assert sum(equals_brute_force(seed, engine, backend) for seed in seeds) > 400


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "backend"), ENGINES[1:])
def test_every_engine_and_backend_equals_brute_force(engine: str, backend: str) -> None:
    assert sum(equals_brute_force(seed, engine, backend) for seed in range(500, 600)) > 80


def test_backends_give_the_same_bytes() -> None:
    for seed in range(600, 660):
        table, errors, weights, options = random_problem(seed)
        frames = [
            search_slices(table, errors, weights=weights, backend=backend, **options)
            for backend in ("numba", "numpy")
        ]
        assert frames[0].equals(frames[1]), seed


def test_the_environment_switches_numba_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.slices.counting.kernels import load_kernels

    assert load_kernels().__name__.endswith("numba")  # type: ignore[attr-defined]  # a module
    monkeypatch.setenv("WEAKSPOT_NUMBA", "0")
    assert load_kernels().__name__.endswith("numpy")  # type: ignore[attr-defined]  # a module


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_row_order_changes_no_byte(seed: int) -> None:
    table, errors, weights, options = random_problem(seed)
    order = np.random.default_rng(seed).permutation(table.height)
    shuffled = table[order]
    w = None if weights is None else weights[order]
    first = search_slices(table, errors, weights=weights, **options)
    assert first.equals(search_slices(shuffled, errors[order], weights=w, **options))


def test_row_order_changes_no_byte_where_float_sums_would_differ() -> None:
    planted = plant(3, 4000, kind="gamma")
    weights = np.random.default_rng(0).random(4000) * 1e6 + 1e-3
    errors = planted.errors * np.random.default_rng(1).choice([1e-8, 1.0, 1e8], 4000)
    order = np.random.default_rng(2).permutation(4000)
    first = search_slices(planted.table, errors, weights=weights)
    second = search_slices(planted.table[order], errors[order], weights=weights[order])
    assert first.equals(second)


def test_column_order_changes_no_byte() -> None:
    planted = plant(4, 1000)
    names = planted.table.columns
    backwards = planted.table.select(names[::-1])
    assert search_slices(planted.table, planted.errors).equals(
        search_slices(backwards, planted.errors)
    )


def test_ties_go_to_more_rows_then_lower_level_then_text() -> None:
    # b copies a, c is constant: whole cluster_ids of slices have equal scores and rows.
    table = pl.DataFrame({"b": ["x", "x", "y", "y"], "a": ["x", "x", "y", "y"], "c": ["k"] * 4})
    found = search_slices(table, np.array([1.0, 1.0, 0.0, 0.0]), min_support=1, max_level=2)
    words = [" & ".join(f"{p['attribute']}={p['value']}" for p in s) for s in found["predicates"]]
    assert words[:5] == ["a=x", "b=x", "a=x & b=x", "a=x & c=k", "b=x & c=k"]


def test_the_frame_is_the_family_table_best_first() -> None:
    planted = plant(5, 2000)
    family = search_slices(planted.table, planted.errors)
    assert dict(family.schema) == dict(FAMILY)
    assert family["score"].is_sorted(descending=True)
    assert (family["q"] >= family["p"]).all()
    names = [[p["attribute"] for p in slice_] for slice_ in family["predicates"]]
    assert names == [sorted(set(slice_)) for slice_ in names]


def test_top_keeps_the_q_of_the_whole_family() -> None:
    planted = plant(6, 2000)
    family = search_slices(planted.table, planted.errors)
    assert search_slices(planted.table, planted.errors, top=7).equals(family.head(7))


@pytest.mark.parametrize("direction", ["worse", "better"])
@pytest.mark.parametrize("weighted", [False, True])
def test_depth_first_finds_the_exact_top_while_pruning(direction: str, *, weighted: bool) -> None:
    planted = plant(7, 1500, kind="gamma")
    options: dict[str, Any] = {
        "direction": direction,
        "max_level": 4,
        "min_support": 5,
        "weights": np.random.default_rng(0).integers(1, 4, 1500) if weighted else None,
    }
    every = search_slices(planted.table, planted.errors, engine="cube", **options)
    best = search_slices(planted.table, planted.errors, engine="depth-first", top=20, **options)
    assert best["predicates"].to_list() == every["predicates"].head(20).to_list()
    assert best["score"].to_list() == every["score"].head(20).to_list()


def test_depth_first_leaves_branches_unopened() -> None:
    from pipeline.slices import audit_slices

    planted = plant(8, 3000)
    result = audit_slices(
        planted.table, planted.errors, engine="depth-first", max_level=4, min_support=3
    )
    assert result.search.unopened > 0
    assert not result.search.complete
    assert any("Not every slice was counted" in note for note in result.notes)


def test_sixty_attributes_at_level_four_choose_depth_first_and_find_the_planted_slice() -> None:
    rng = np.random.default_rng(9)
    codes = rng.integers(0, 3, (3000, 60), dtype=np.uint8)
    inside = (codes[:, [3, 20, 41]] == 1).all(axis=1)
    errors = (rng.random(3000) < np.where(inside, 0.95, 0.03)).astype(float)
    table = pl.DataFrame({f"a{j:02d}": codes[:, j] for j in range(60)})
    found = search_slices(table, errors, max_level=4, min_support=0.02, top=5)
    want = [{"attribute": f"a{j}", "value": "1"} for j in ("03", "20", "41")]
    assert found.row(0, named=True)["predicates"] == want


@pytest.mark.slow
def test_domains_of_200_values_are_counted_exactly() -> None:
    rng = np.random.default_rng(10)
    table = pl.DataFrame(
        {
            "many": rng.integers(0, 200, 5000).astype(str),
            "few": rng.integers(0, 3, 5000).astype(str),
            "wide": rng.integers(0, 200, 5000) * 1000}
    )  # fmt: skip
    errors = rng.random(5000)
    got = by_predicates(search_slices(table, errors, min_support=20, max_level=2))
    want = search_by_force(table, errors, min_support=20, max_level=2)
    assert set(got) == set(want)
    assert all(got[k]["score"] == pytest.approx(want[k]["score"], abs=1e-9) for k in want)


def test_integer_and_text_columns_name_the_same_values() -> None:
    values = np.array([3, -1, 3, 200, -1, 3])
    errors = np.array([1.0, 0, 1, 0, 0, 1])
    as_numbers = search_slices(pl.DataFrame({"a": values}), errors, min_support=1)
    as_text = search_slices(pl.DataFrame({"a": values.astype(str)}), errors, min_support=1)
    assert as_numbers.equals(as_text)


def test_merging_equal_rows_changes_nothing() -> None:
    rng = np.random.default_rng(11)
    table = pl.DataFrame({name: rng.integers(0, 2, 4000).astype(bool) for name in "abcd"})
    for errors in (rng.integers(0, 2, 4000).astype(float), rng.gamma(1, 1, 4000)):
        want = search_by_force(table, errors, max_level=4)
        got = by_predicates(search_slices(table, errors, max_level=4, min_support=1))
        assert set(got) == set(want)
        assert all(got[k]["score"] == pytest.approx(want[k]["score"], abs=1e-9) for k in want)


def test_integer_weights_score_as_repeated_rows_do() -> None:
    table, errors, _, _ = random_problem(21)
    weights = np.random.default_rng(0).integers(1, 5, table.height)
    rows = np.repeat(np.arange(table.height), weights)
    weighted = by_predicates(search_slices(table, errors, weights=weights, min_support=3))
    repeated = by_predicates(search_slices(table[rows], errors[rows], min_support=3))
    assert set(weighted) == set(repeated)
    for predicates, row in weighted.items():
        assert row["score"] == pytest.approx(repeated[predicates]["score"], abs=1e-9)
        assert row["weight"] == pytest.approx(repeated[predicates]["n"])


def test_slices_without_a_complement_have_no_rest_and_p_one() -> None:
    table = pl.DataFrame({"a": ["x"] * 5})
    row = search_slices(table, np.arange(5.0), min_support=1).row(0, named=True)
    assert (row["rest_error"], row["lift"], row["p"], row["score"]) == (None, None, 1.0, 0.0)


def test_constant_errors_are_no_evidence() -> None:
    table = pl.DataFrame({"a": ["x", "y"] * 20})
    for value in (0.0, 0.3, 1e-300, 1e149):
        found = search_slices(table, np.full(40, value), min_support=1)
        assert found["p"].to_list() == [1.0, 1.0]
        assert found["score"].to_list() == pytest.approx([-0.05, -0.05])


def test_no_value_with_enough_rows_gives_an_empty_family() -> None:
    table = pl.DataFrame({"a": [str(i) for i in range(50)]})
    assert search_slices(table, np.ones(50), min_support=2).height == 0


def test_too_large_a_family_is_estimated_before_it_is_counted() -> None:
    from pipeline.slices.counting.encode import encode_table
    from pipeline.slices.counting.fixed_point import prepare_losses
    from pipeline.slices.options import SearchOptions
    from pipeline.slices.search import prepare_search

    rng = np.random.default_rng(0)
    table = pl.DataFrame({f"a{j}": rng.integers(0, 30, 3000) for j in range(12)})
    losses = prepare_losses(rng.random(3000), None, rows=3000)
    options = SearchOptions(min_support=1, memory=3e8)
    search = prepare_search(encode_table(table), losses, options)
    assert search.engine == "depth-first"
    assert "more than the 0.3 GB allowed" in search.reason
    assert search.possible_slices == 220 * 3000 + 66 * 900 + 12 * 30


def test_pipeline_slices_imports_lightly() -> None:
    import subprocess
    import sys

    code = (
        "import sys, pipeline.slices; "
        "print([m for m in ('numba', 'scipy', 'polars', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_threads_may_search_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    planted = plant(13, 3000)
    want = search_slices(planted.table, planted.errors)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(search_slices, planted.table, planted.errors) for _ in range(8)]
        assert all(job.result().equals(want) for job in jobs)


@pytest.mark.slow
def test_a_machine_without_a_writable_cache_folder_still_counts() -> None:
    import os
    import subprocess
    import sys

    code = (
        "import numpy as np; from pipeline.slices.counting.kernels_numba import count_values; "
        "print(count_values(np.array([0, 1, 1], np.uint8), 2).tolist())"
    )
    # The only locator left needs a folder that is not given: numba then refuses to cache.
    environment = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[1, 2]"
