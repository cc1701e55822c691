"""Findings: planted slices found, noise not, every number what it says."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.exceptions import SearchError, TableError
from pipeline.slices import audit_slices, find_weaknesses, search_slices
from pipeline.tables import WEAKNESSES
from tests.benchmarks.slices_evidence import measure_null, measure_planted
from tests.slices.brute_force import by_predicates
from tests.slices.planted import plant, plant_nothing


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "gamma"])
@pytest.mark.parametrize("confirm", [0.0, 0.5])
def test_tables_without_weak_slices_have_hardly_any_findings(kind: str, confirm: float) -> None:
    result = measure_null(kind=kind, n=2000, confirm=confirm, tables=60)
    # 99 % quantiles of 60 tables at true rates of 10 and 5 %.
    assert result.any <= 12
    assert result.confirmed <= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "kind", "base", "recall"),
    [
        (5_000, "binary", 0.1, 0.75),
        (20_000, "binary", 0.1, 0.85),
        (20_000, "binary", 0.3, 0.85),  # where the score alone prefers large, diluted slices
        (20_000, "gamma", 0.1, 0.85),
    ],
)
def test_planted_slices_are_found_by_name(n: int, kind: str, base: float, recall: float) -> None:
    result = measure_planted(kind=kind, n=n, confirm=0.0, tables=12, base=base)
    assert result.right / result.findings >= 0.9
    assert result.found / result.planted >= recall


def test_a_planted_slice_comes_first_with_its_numbers() -> None:
    rng = np.random.default_rng(0)
    hat = rng.choice(["yes", "no"], 3000, p=[0.1, 0.9])
    blur = rng.choice(["high", "low"], 3000)
    errors = (rng.random(3000) < np.where((hat == "yes") & (blur == "high"), 0.6, 0.05)).astype(
        float
    )
    result = audit_slices(pl.DataFrame({"hat": hat, "blur": blur}), errors, min_support=30)
    assert dict(result.findings.schema) == dict(WEAKNESSES)
    worst = result.findings.row(0, named=True)
    assert worst["predicates"] == [
        {"attribute": "blur", "value": "high"},
        {"attribute": "hat", "value": "yes"},
    ]
    inside = (hat == "yes") & (blur == "high")
    assert worst["n"] == inside.sum()
    assert worst["error"] == pytest.approx(errors[inside].mean())
    assert worst["rest_error"] == pytest.approx(errors[~inside].mean())
    assert worst["difference"] == pytest.approx(worst["error"] - worst["rest_error"])
    assert worst["ci_low"] < worst["difference"] < worst["ci_high"]
    assert worst["lift"] == pytest.approx(worst["error"] / worst["rest_error"])
    assert worst["state"] == "confirmed"
    assert worst["p_family"] <= 0.002
    assert result.findings.height == 1
    assert worst["explained_share"] == pytest.approx(1.0)
    folded = [{p["attribute"]: p["value"] for p in slice_} for slice_ in worst["folded"]]
    assert {"hat": "yes"} in folded  # only its rows under high blur made it weak
    assert worst["folded_count"] == len(folded)


def test_a_general_slice_is_preferred_to_a_special_one_that_adds_nothing() -> None:
    rng = np.random.default_rng(1)
    table = pl.DataFrame({f"a{j}": rng.integers(0, 3, 6000) for j in range(6)})
    errors = (rng.random(6000) < np.where(table["a0"].to_numpy() == 1, 0.5, 0.1)).astype(float)
    best_score = search_slices(table, errors, alpha=1.0)["predicates"].to_list()[0]
    assert len(best_score) > 1  # by score alone, chance makes a special slice the best
    findings = find_weaknesses(table, errors, alpha=1.0)
    assert findings["predicates"].to_list() == [[{"attribute": "a0", "value": "1"}]]


def test_a_general_slice_that_only_holds_a_weak_one_gives_way_to_it() -> None:
    rng = np.random.default_rng(2)
    table = pl.DataFrame({f"a{j}": rng.integers(0, 4, 20_000) for j in range(6)})
    inside = ((table["a0"] == 1) & (table["a1"] == 2)).to_numpy()
    errors = (rng.random(20_000) < np.where(inside, 0.65, 0.4)).astype(float)
    by_score = search_slices(table, errors, alpha=0.9)["predicates"].to_list()[0]
    assert len(by_score) == 1  # the score prefers the large and diluted slice
    findings = find_weaknesses(table, errors, alpha=0.9)
    want = [{"attribute": "a0", "value": "1"}, {"attribute": "a1", "value": "2"}]
    assert findings["predicates"].to_list() == [want]


def test_findings_carry_the_q_of_the_full_family_and_the_residual_one() -> None:
    planted = plant(1, 5000)
    result = audit_slices(planted.table, planted.errors)
    family = by_predicates(result.family)
    rows = list(by_predicates(result.findings).items())
    assert len(rows) == 5
    for predicates, row in rows:
        assert row["q"] == family[predicates]["q"]
        assert row["p"] == family[predicates]["p"]
        assert row["score"] == family[predicates]["score"]
        # Of another statistic, and among rows in which fewer other slices are weak.
        assert row["q_residual"] < 0.05
        assert row["q_residual"] != row["q"]


@pytest.mark.slow
def test_row_order_changes_no_byte_of_findings() -> None:
    planted = plant(2, 3000, kind="gamma")
    rng = np.random.default_rng(0)
    cluster_ids = np.array([f"image {i // 2}" for i in range(3000)])
    weights = rng.random(3000) + 0.5
    order = rng.permutation(3000)
    cases: list[dict[str, Any]] = [
        {"confirm": 0.0}, {"confirm": 0.5},
        {"confirm": 0.5, "cluster_ids": cluster_ids}, {"confirm": 0.0, "weights": weights},
    ]  # fmt: skip
    for case in cases:
        shuffled: dict[str, Any] = {
            k: v[order] if isinstance(v, np.ndarray) else v for k, v in case.items()
        }
        first = audit_slices(planted.table, planted.errors, permutations=50, **case)
        second = audit_slices(
            planted.table[order], planted.errors[order], permutations=50, **shuffled
        )
        assert first.findings.equals(second.findings)
        assert first.family.equals(second.family)
        assert first.search == second.search
        assert first.findings.height > 0


@pytest.mark.slow
def test_the_same_seed_repeats_and_another_splits_differently() -> None:
    planted = plant(3, 3000)
    first, again, other = (
        find_weaknesses(planted.table, planted.errors, confirm=0.5, seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_weak_candidates_are_shown_only_on_request_and_never_as_findings() -> None:
    table, errors = plant_nothing(0, 2000)
    assert find_weaknesses(table, errors).height == 0
    shown = find_weaknesses(table, errors, show_insufficient=3)
    assert shown["state"].to_list() == ["insufficient evidence"] * 3
    assert (shown["q"] >= 0.05).all()
    assert shown["q_residual"].null_count() == 3


def test_nothing_found_comes_with_the_gap_that_could_have_been() -> None:
    table, errors = plant_nothing(1, 2000)
    result = audit_slices(table, errors)
    assert result.findings.height == 0
    assert result.detectable_gap is not None
    assert 0.1 < result.detectable_gap < 1.0
    assert any("Would have been found four times in five" in note for note in result.notes)
    gaps = [gap for _, gap in result.search.detectable_gaps if gap is not None]
    assert gaps == sorted(gaps, reverse=True)


def test_mostly_wrong_systems_are_called_so() -> None:
    table, errors = plant_nothing(2, 2000)
    result = audit_slices(table, 1.0 - errors)
    assert result.mostly_wrong
    assert any("success rates" in note for note in result.notes)
    assert not audit_slices(table, errors).mostly_wrong


def test_better_slices_are_found_too() -> None:
    rng = np.random.default_rng(7)
    table = pl.DataFrame({f"a{j}": rng.integers(0, 3, 4000) for j in range(4)})
    errors = rng.gamma(1, 1, 4000) * np.where(table["a2"].to_numpy() == 0, 0.5, 1.0)
    findings = find_weaknesses(table, errors, direction="better", confirm=0.5)
    first = findings.row(0, named=True)
    assert first["predicates"] == [{"attribute": "a2", "value": "0"}]
    assert first["difference"] < 0
    assert first["ci_high"] < 0
    assert first["state"] == "confirmed"


def test_faulty_questions_are_refused() -> None:
    table = pl.DataFrame({"a": ["x", "y"]})
    with pytest.raises(SearchError, match="confirm is 1"):
        audit_slices(table, np.ones(2), confirm=1.0)
    with pytest.raises(SearchError, match=r"(?s)permutations is -1.*show_insufficient.*top is 0"):
        audit_slices(table, np.ones(2), permutations=-1, show_insufficient=-1, top=0)
    with pytest.raises(TableError, match="cluster_ids are 3, expected 2"):
        audit_slices(table, np.ones(2), cluster_ids=[1, 2, 3])
    with pytest.raises(TableError, match="cluster_ids are empty in rows 2"):
        audit_slices(table, np.ones(2), cluster_ids=pl.Series(["a", None]))
    with pytest.raises(SearchError, match="cannot be split"):
        audit_slices(table[:1], np.ones(1), confirm=0.3)
    with pytest.raises(TypeError, match="magic"):
        audit_slices(table, np.ones(2), magic=1)
