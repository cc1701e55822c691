"""The choice of distinct slices: nothing swallowed, nothing that the others explain."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.slices import audit_slices, find_weaknesses, search_slices
from pipeline.slices.evidence.assessment import open_assessor
from pipeline.slices.evidence.choice import choose_slices
from pipeline.slices.evidence.stratified_score import compare_beside, score_beside, score_rows
from tests.benchmarks.choice_measures import name_findings, open_table
from tests.benchmarks.choice_worlds import draw_errors, draw_world
from tests.slices.brute_force import by_predicates

Floats = NDArray[np.float64]
Drawn = tuple[pl.DataFrame, Floats]


def named(findings: pl.DataFrame) -> set[tuple[tuple[str, str], ...]]:
    return set(by_predicates(findings))


def draw_table(seed: int, n: int, *, values: int = 4, attributes: int = 6) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame({f"a{j}": rng.integers(0, values, n) for j in range(attributes)})


def nested(seed: int, n: int = 6000, *, kind: str = "binary") -> Drawn:
    """Draw a weak slice a0 = 1, and a weaker one, a0 = 1 and a1 = 2, inside it."""
    table = draw_table(seed, n)
    outer = (table["a0"] == 1).to_numpy()
    inner = outer & (table["a1"] == 2).to_numpy()
    rate = 0.1 + 0.2 * outer + 0.3 * inner
    rng = np.random.default_rng([seed, 1])
    if kind == "gamma":
        return table, rng.gamma(1.0, 1.0, n) * rate
    return table, (rng.random(n) < rate).astype(float)


OUTER, INNER = (("a0", "1"),), (("a0", "1"), ("a1", "2"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "gamma"])
@pytest.mark.parametrize("extra", ["none", "weights", "clusters", "bonferroni", "depth-first"])
def test_a_slice_is_not_swallowed_by_the_one_that_holds_it(kind: str, extra: str) -> None:
    table, errors = nested(0, kind=kind)
    options: dict[str, dict[str, Any]] = {
        "none": {},
        "weights": {"weights": np.random.default_rng(2).random(len(errors)) + 0.5},
        "clusters": {"cluster_ids": np.arange(len(errors)) // 2},
        "bonferroni": {"permutations": 0},
        "depth-first": {"engine": "depth-first"},
    }
    findings = find_weaknesses(table, errors, **options[extra])
    assert named(findings) == {OUTER, INNER}
    assert findings["explained_share"].sum() == pytest.approx(1.0)
    assert (findings["explained_share"] > 0.2).all()


def test_better_slices_are_not_swallowed_either() -> None:
    table, errors = nested(1)
    findings = find_weaknesses(table, 1.0 - errors, direction="better")
    assert named(findings) == {OUTER, INNER}


def test_held_out_rows_confirm_a_slice_inside_another() -> None:
    table, errors = nested(3, 12_000)
    findings = find_weaknesses(table, errors, confirm=0.5)
    assert named(findings) == {OUTER, INNER}
    assert findings["state"].to_list() == ["confirmed"] * 2
    assert (findings["holdout_p"] < 1e-3).all()


@pytest.mark.slow
def test_evidence_does_not_go_when_that_of_other_slices_does() -> None:
    """A slice with a small q only among many others that are weak too is found all the same."""
    borrowed = 0
    for seed in range(12):
        world = draw_world(seed, 3000, shape="apart", lift=0.25)
        errors = draw_errors(world, seed)
        found = name_findings(open_table(world.table, errors, permutations=199, seed=seed))
        for name in set(found) & set(world.slices):
            others = np.ones(3000, np.bool_)
            for other in found:
                others &= True if other == name else ~world.members(other)
            left = search_slices(
                world.table.filter(others), errors[others], min_support=float(0.005 * 3000)
            )
            row = by_predicates(left).get(name)
            borrowed += row is not None and row["q"] >= 0.05
    assert borrowed >= 3


def test_a_general_slice_that_holds_two_weak_ones_is_not_left_beside_them() -> None:
    table = draw_table(4, 9000)
    general = (table["a0"] == 1).to_numpy()
    one = general & (table["a1"] == 2).to_numpy()
    other = general & (table["a2"] == 3).to_numpy()
    rate = np.where(one | other, 0.4, 0.1)
    errors = (np.random.default_rng(4).random(9000) < rate).astype(float)
    result = audit_slices(table, errors)
    assert named(result.findings) == {INNER, (("a0", "1"), ("a2", "3"))}
    folded = result.findings["folded"].to_list()
    assert any([{"attribute": "a0", "value": "1"}] in some for some in folded)


def test_a_slice_that_only_holds_several_weak_ones_gives_way_to_them() -> None:
    found = 0
    for seed in range(5):
        table = draw_table(seed, 4000, values=3, attributes=7)
        general = (table["a0"] == 1).to_numpy()
        parts = [general & (table[name] == 2).to_numpy() for name in ("a1", "a2", "a3")]
        rate = np.where(np.logical_or.reduce(parts), 0.35, 0.1)
        errors = (np.random.default_rng([seed, 1]).random(4000) < rate).astype(float)
        names = named(find_weaknesses(table, errors, permutations=199))
        found += sum((("a0", "1"), (name, "2")) in names for name in ("a1", "a2", "a3"))
        assert OUTER not in names
    assert found >= 13


def test_only_slices_that_share_rows_are_folded() -> None:
    """Two attributes that go together: what one explains of the other is chance, not overlap."""
    rng = np.random.default_rng(6)
    smiling = rng.random(8000) < 0.5
    race = np.where(rng.random(8000) < np.where(smiling, 0.45, 0.55), "x", "y")
    table = draw_table(6, 8000).with_columns(
        pl.Series("smiling", np.where(smiling, "yes", "no")), pl.Series("race", race)
    )
    errors = (rng.random(8000) < np.where(smiling, 0.1, 0.5)).astype(float)
    findings = find_weaknesses(table, errors)
    assert named(findings) == {(("smiling", "no"),)}
    folded = findings["folded"].to_list()[0]
    assert findings["folded_count"].to_list()[0] > 20
    assert [{"attribute": "race", "value": "x"}] not in folded
    assert all({"attribute": "smiling", "value": "no"} in slice_ for slice_ in folded)


@pytest.mark.parametrize("kind", ["binary", "gamma"])
@pytest.mark.parametrize("extra", ["none", "merged", "weights", "clusters"])
def test_an_assessment_of_some_rows_is_that_of_each_slice_alone(kind: str, extra: str) -> None:
    rng = np.random.default_rng(8)
    table, errors = nested(8, 700, kind=kind)
    table = table.select(table.columns[: 2 if extra == "merged" else 4])
    cluster_ids = np.arange(700) // 3 if extra == "clusters" else None
    opened = open_table(table, errors, cluster_ids=cluster_ids, permutations=20)
    assessor = opened.assessor
    remaining = rng.random(700) < 0.6
    now = assessor.assess(remaining)
    losses, clusters = assessor.discovery.rows.losses, assessor.discovery.rows.cluster_ids
    for position in range(len(assessor.family)):
        inside = opened.members(position) & remaining
        assert now.sums.n[position] == inside.sum()
        assert now.sums.total[position] == pytest.approx(losses.errors[inside].sum())
        if now.statistic[position] > 0 and extra != "clusters":
            z = score_rows(losses, clusters, inside, remaining & ~inside, direction="worse")
            assert now.statistic[position] == pytest.approx(z)


def test_a_slice_beside_others_is_tested_where_they_leave_it() -> None:
    table, errors = nested(9)
    opened = open_table(table, errors)
    rows = opened.assessor.discovery.rows
    outer, inner = (opened.members(opened.find(name) or 0) for name in (OUTER, INNER))
    direction: Any = "worse"

    def z(inside: Any, others: list[Any]) -> float:
        return score_beside(rows.losses, None, inside, others, direction=direction)

    alone = score_rows(rows.losses, None, inner, ~inner, direction=direction)
    assert z(inner, []) == pytest.approx(alone)
    within = score_rows(rows.losses, None, inner, outer & ~inner, direction=direction)
    assert z(inner, [outer]) == pytest.approx(within)
    left = score_rows(rows.losses, None, outer & ~inner, ~outer, direction=direction)
    assert z(outer, [inner]) == pytest.approx(left)
    assert z(inner, [inner]) == 0.0
    assert compare_beside(rows.losses, None, inner, [inner], direction=direction) == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "gamma"])
def test_chance_is_reported_in_few_tables(kind: str) -> None:
    found = 0
    for seed in range(60):
        world = draw_world(seed, 800, shape="apart", lift=0.0, base=0.5, planted=False)
        errors = draw_errors(world, seed, kind=kind)
        found += bool(name_findings(open_table(world.table, errors, permutations=399, seed=seed)))
    assert found <= 8  # 99.5 % quantile at a true rate of 5 %


def test_the_limit_ends_the_choice() -> None:
    table, errors = nested(0)
    opened = open_table(table, errors)
    chosen, _ = choose_slices(opened.assessor, opened.full, opened.members, limit=1)
    assert len(chosen) == 1


def test_constant_errors_and_single_slices_give_nothing() -> None:
    table = pl.DataFrame({"a": ["x", "y"] * 50})
    assert find_weaknesses(table, np.ones(100)).height == 0
    assert find_weaknesses(pl.DataFrame({"a": ["x"] * 100}), np.arange(100.0)).height == 0
    opened = open_table(table, np.ones(100))
    again = open_assessor(opened.assessor.discovery, opened.assessor.family, permutations=9, seed=0)
    assert not again.assess().is_significant(0, 0.05)
