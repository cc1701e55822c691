"""Where no q is small, max-T over the whole family has a second look."""

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
from pipeline.slices.evidence.discovery import Part, open_discovery
from pipeline.slices.evidence.family_wise_fallback import SecondLook
from pipeline.slices.family import Family
from pipeline.slices.search import SearchOptions
from tests.slices.planted import draw_attributes, plant_nothing

Drawn = tuple[pl.DataFrame, NDArray[np.float64], NDArray[np.int64]]


def crops(seed: int, rate: float, *, gap: float = 0.0) -> Drawn:
    """Draw 600 crops of images whose errors are alike; a0 = v0 has more of them by `gap`."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(600), rng.integers(1, 9, 600))[:600]
    table = draw_attributes(rng, 600, (2, 3, 3, 4))
    of_image = np.searchsorted(groups, groups)
    table = table.with_columns(pl.Series("a1", table["a1"].to_numpy()[of_image]))
    worse = rate + gap * (table["a0"] == "v0").to_numpy()
    shared = rng.random(600) < 0.2**0.5
    errors = np.where(shared, (rng.random(600) < rate)[groups], rng.random(600) < worse)
    return table, errors.astype(np.float64), groups


def find_by_second_look() -> tuple[Drawn, dict[str, Any]]:
    """Return the first drawn table with a finding that q alone would not have shown."""
    for seed in range(60):
        drawn = crops(seed, 0.85, gap=0.13)
        table, errors, groups = drawn
        found = find_weaknesses(table, errors, groups=groups)
        if found.height and found["q"].min() >= 0.05:  # type: ignore[operator]  # a number here
            return drawn, found.row(0, named=True)
    raise AssertionError("no table needed the second look")


def test_a_slice_that_max_t_confirms_is_a_finding_whatever_q_says() -> None:
    (table, errors, groups), row = find_by_second_look()
    assert row["p_family"] < 0.025
    assert row["q"] >= 0.05
    assert row["state"] == "confirmed"
    family = audit_slices(table, errors, groups=groups).family
    assert (family["q"] >= 0.05).all()


@pytest.mark.parametrize("more", [{"permutations": 0}, {"engine": "depth-first"}])
def test_bonferroni_gives_no_second_look(more: dict[str, Any]) -> None:
    (table, errors, groups), _ = find_by_second_look()
    assert find_weaknesses(table, errors, groups=groups, **more).height == 0


@pytest.mark.parametrize(
    ("p_family", "p", "asked"), [(0.02, 0.001, [99, 1000]), (0.2, 0.001, [99]), (0.02, 0.03, [])]
)
def test_hopeless_tables_cost_few_permutations(p_family: float, p: float, asked: list[int]) -> None:
    table, errors = plant_nothing(0, 500)
    rows = AuditRows(encode_table(table), prepare_losses(errors, None, rows=500), None)
    discovery = open_discovery(rows, SearchOptions(max_level=1))
    family = discovery.count().family
    seen = []

    def ask(asked: Family, _part: Part, permutations: int) -> NDArray[np.float64]:
        seen.append(permutations)
        return np.full(len(asked), p_family)

    family = replace(family, p=np.full(len(family), p))
    evident = SecondLook(ask, 1000).judge(family, discovery.take())
    assert seen == asked
    assert evident.all() == evident.any() == (len(asked) == 2)


@pytest.mark.parametrize("rate", [0.06, 0.5, 0.94])
def test_both_looks_together_find_little_where_nothing_is(rate: float) -> None:
    found = 0
    for seed in range(60):
        table, errors, groups = crops(1000 + seed, rate)
        found += find_weaknesses(table, errors, groups=groups, permutations=399).height > 0
    assert found <= 8  # 99.5 % quantile at a true rate of 5 %
