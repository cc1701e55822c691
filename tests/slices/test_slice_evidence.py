"""Evidence of findings: held-out rows, states, and crops that are kept together."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.slices import audit_slices, find_weaknesses, search_slices
from tests.benchmarks.slices_evidence import measure_planted
from tests.slices.planted import members_of, plant


@pytest.mark.slow
def test_held_out_intervals_of_findings_cover_the_truth() -> None:
    hits, intervals = measure_planted(
        kind="binary", n=8_000, confirm=0.5, tables=40, seed=500
    ).of_holdout
    assert intervals > 150
    assert 0.91 <= hits / intervals <= 0.99


def test_confirmation_never_splits_an_image() -> None:
    from pipeline.slices.audit_rows import AuditRows, number_clusters, split_rows
    from pipeline.slices.counting.encode import encode_table
    from pipeline.slices.counting.fixed_point import prepare_losses

    cluster_ids = np.repeat([f"image {i}" for i in range(100)], 3)
    codes = encode_table(pl.DataFrame({"a": ["x"] * 300}))
    rows = AuditRows(
        codes, prepare_losses(np.ones(300), None, rows=300), number_clusters(cluster_ids, rows=300)
    )
    one, other = split_rows(rows, confirm=0.5, seed=0)
    assert one.cluster_ids is not None
    assert other is not None
    assert other.cluster_ids is not None
    assert not set(one.cluster_ids) & set(other.cluster_ids)
    assert (len(one), len(other)) == (150, 150)


def test_held_out_numbers_are_of_the_held_out_rows() -> None:
    planted = plant(4, 6000)
    result = audit_slices(planted.table, planted.errors, confirm=0.5)
    assert result.search.n == result.search.holdout_n == 3000
    assert result.findings.height >= 3
    for row in result.findings.iter_rows(named=True):
        inside = members_of(planted.table, row["predicates"])
        assert row["n"] + row["holdout_n"] == inside.sum()
        total = row["n"] * row["error"] + row["holdout_n"] * row["holdout_error"]
        assert total == pytest.approx(planted.errors[inside].sum())
        assert row["holdout_ci_low"] < row["holdout_error"] - row["holdout_rest_error"]
        assert row["holdout_ci_high"] > row["holdout_error"] - row["holdout_rest_error"]
    assert set(result.findings["state"]) == {"confirmed"}


def test_states_follow_holm_over_the_findings() -> None:
    from pipeline.statistics.p_values import adjust_holm

    for seed in range(10):
        planted = plant(100 + seed, 2500)
        findings = find_weaknesses(planted.table, planted.errors, confirm=0.5, permutations=0)
        if findings.height:
            holm = adjust_holm(findings["holdout_p"].to_numpy())
            want = ["confirmed" if p < 0.05 else "likely" for p in holm]
            assert findings["state"].to_list() == want


@pytest.mark.slow
def test_without_held_out_rows_states_follow_the_family_wise_p() -> None:
    states = []
    for seed in range(10):
        planted = plant(200 + seed, 2500)
        findings = find_weaknesses(planted.table, planted.errors, permutations=200)
        states += findings["state"].to_list()
        want = ["confirmed" if p < 0.05 else "likely" for p in findings["p_family"]]
        assert findings["state"].to_list() == want
        assert (findings["q_residual"] < 0.2).all()  # none is a finding for its score alone
    assert {"confirmed", "likely"} == set(states)


def crops(
    seed: int, images: int
) -> tuple[pl.DataFrame, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Make twelve crops an image that share their error and one attribute: no slice is weak."""
    rng = np.random.default_rng(seed)
    cluster_ids = np.repeat(np.arange(images), 12)
    scene = rng.integers(0, 4, (images, 3))[cluster_ids]
    own = rng.integers(0, 3, (len(cluster_ids), 2))
    table = pl.DataFrame({f"a{j}": column for j, column in enumerate(np.hstack([scene, own]).T)})
    bad = rng.random(images) < 0.15
    errors = (rng.random(len(cluster_ids)) < np.where(bad, 0.8, 0.05)[cluster_ids]).astype(float)
    return table, errors, cluster_ids


@pytest.mark.slow
def test_crops_of_one_image_are_no_independent_evidence() -> None:
    naive = aware = 0
    for seed in range(25):
        table, errors, cluster_ids = crops(seed, 200)
        naive += find_weaknesses(table, errors, permutations=0).height > 0
        aware += find_weaknesses(table, errors, cluster_ids=cluster_ids, permutations=0).height > 0
    assert naive >= 15  # taken for independent, crops make findings out of nothing
    assert aware <= 5


def test_findings_of_clusters_are_found_with_wider_intervals() -> None:
    rng = np.random.default_rng(0)
    table, errors, cluster_ids = crops(1, 400)
    weak = (table["a3"] == 1).to_numpy()
    errors = np.maximum(errors, (rng.random(len(errors)) < 0.3) & weak)
    findings = find_weaknesses(table, errors, cluster_ids=cluster_ids)
    assert findings["predicates"].to_list()[0] == [{"attribute": "a3", "value": "1"}]
    assert findings["state"].to_list()[0] == "confirmed"
    by_scene = search_slices(table, errors, must=["a0"], max_level=1)["n"].to_list()
    assert sum(by_scene) == len(errors)


def test_clusters_of_one_row_change_nothing() -> None:
    planted = plant(5, 1500)
    alone = find_weaknesses(planted.table, planted.errors, permutations=50)
    clustered = find_weaknesses(
        planted.table, planted.errors, cluster_ids=np.arange(1500), permutations=50
    )
    assert alone.equals(clustered)


@pytest.mark.parametrize("engine", ["depth-first", "sliceline"])
def test_other_engines_bound_the_family_wise_p_by_bonferroni(engine: Any) -> None:
    planted = plant(6, 3000)
    result = audit_slices(planted.table, planted.errors, engine=engine)
    assert result.findings.height >= 4
    for row in result.findings.iter_rows(named=True):
        assert row["p_family"] >= min(1.0, row["p"] * result.search.slices) * (1 - 1e-9)
    assert result.search.permutations == 0
