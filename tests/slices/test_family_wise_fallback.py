"""Where no q is small, the family-wise p of max-T decides which slices are significant."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.slices import audit_slices, find_weaknesses
from pipeline.slices.audit_rows import AuditRows
from pipeline.slices.counting.encode import encode_table
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.discovery import RowSubset, open_discovery
from pipeline.slices.evidence.family_wise_fallback import FamilyWiseFallback
from pipeline.slices.family import Family
from pipeline.slices.options import SearchOptions
from tests.slices.planted import draw_attributes, plant_nothing

Drawn = tuple[pl.DataFrame, NDArray[np.float64], NDArray[np.int64]]


def crops(seed: int, rate: float, *, gap: float = 0.0) -> Drawn:
    """Draw 600 crops of images whose errors are alike; a0 = v0 has more of them by `gap`."""
    rng = np.random.default_rng(seed)
    cluster_ids = np.repeat(np.arange(600), rng.integers(1, 9, 600))[:600]
    table = draw_attributes(rng, 600, (2, 3, 3, 4))
    of_image = np.searchsorted(cluster_ids, cluster_ids)
    table = table.with_columns(pl.Series("a1", table["a1"].to_numpy()[of_image]))
    worse = rate + gap * (table["a0"] == "v0").to_numpy()
    shared = rng.random(600) < 0.2**0.5
    errors = np.where(shared, (rng.random(600) < rate)[cluster_ids], rng.random(600) < worse)
    return table, errors.astype(np.float64), cluster_ids


def find_by_fallback() -> tuple[Drawn, dict[str, Any]]:
    """Return the first drawn table with a finding that q alone would not have shown."""
    for seed in range(60):
        drawn = crops(seed, 0.85, gap=0.13)
        table, errors, cluster_ids = drawn
        found = find_weaknesses(table, errors, cluster_ids=cluster_ids)
        if found.height and found["q"].min() >= 0.05:  # type: ignore[operator]  # a number here
            return drawn, found.row(0, named=True)
    raise AssertionError("no table needed the fallback")


def test_a_slice_that_max_t_confirms_is_a_finding_whatever_q_says() -> None:
    (table, errors, cluster_ids), row = find_by_fallback()
    assert row["p_family"] < 0.025
    assert row["q"] >= 0.05
    assert row["state"] == "confirmed"
    family = audit_slices(table, errors, cluster_ids=cluster_ids).family
    assert (family["q"] >= 0.05).all()


@pytest.mark.parametrize("more", [{"permutations": 0}, {"engine": "depth-first"}])
def test_bonferroni_gives_no_fallback(more: dict[str, Any]) -> None:
    (table, errors, cluster_ids), _ = find_by_fallback()
    assert find_weaknesses(table, errors, cluster_ids=cluster_ids, **more).height == 0


@pytest.mark.parametrize(
    ("p_family", "p", "drawn"), [(0.02, 0.001, [99, 1000]), (0.2, 0.001, [99]), (0.02, 0.03, [])]
)
def test_hopeless_families_cost_few_permutations(
    p_family: float, p: float, drawn: list[int]
) -> None:
    table, errors = plant_nothing(0, 500)
    rows = AuditRows(encode_table(table), prepare_losses(errors, None, rows=500), None)
    discovery = open_discovery(rows, SearchOptions(max_level=1))
    family = discovery.count().family
    seen = []

    def compute_p(counted: Family, _subset: RowSubset, permutations: int) -> NDArray[np.float64]:
        seen.append(permutations)
        return np.full(len(counted), p_family)

    family = replace(family, p=np.full(len(family), p))
    significant = FamilyWiseFallback(compute_p, 1000).find_significant(family, discovery.take())
    assert seen == drawn
    assert significant.all() == significant.any() == (len(drawn) == 2)


@pytest.mark.parametrize("rate", [0.06, 0.5, 0.94])
def test_q_and_fallback_together_find_little_under_the_null(rate: float) -> None:
    found = 0
    for seed in range(60):
        table, errors, cluster_ids = crops(1000 + seed, rate)
        found += (
            find_weaknesses(table, errors, cluster_ids=cluster_ids, permutations=399).height > 0
        )
    assert found <= 8  # 99.5 % quantile at a true rate of 5 %
