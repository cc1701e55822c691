"""Family-wise p-values: exact where the answer is known, calibrated where it is not."""

import numpy as np
import polars as pl
import pytest

from pipeline.slices import audit_slices
from pipeline.slices.audit_rows import AuditRows, number_groups, sort_rows
from pipeline.slices.cells import make_cells
from pipeline.slices.clusters import measure_slices
from pipeline.slices.encode import encode_table
from pipeline.slices.evidence import open_discovery
from pipeline.slices.losses import prepare_losses
from pipeline.slices.max_t import compute_family_p
from pipeline.slices.search import SearchOptions
from tests.slices.planted import plant, plant_nothing


def smallest_family_p(table: pl.DataFrame, errors: object, **options: object) -> float:
    result = audit_slices(table, errors, show_insufficient=1, **options)  # type: ignore[arg-type]
    return float(result.findings["p_family"].min())  # type: ignore[arg-type]  # never null here


def test_with_one_slice_against_its_rest_it_is_fishers_p() -> None:
    # Two slices, each the other's complement: only one can be worse.
    errors = np.zeros(60)
    errors[[0, 1, 2, 3, 4, 5, 25, 40]] = 1.0
    table = pl.DataFrame({"a": ["in"] * 20 + ["out"] * 40})
    result = audit_slices(table, errors, permutations=4000, show_insufficient=1)
    row = result.findings.row(0, named=True)
    # T of the other slice is large when few errors fall inside, so p is of both tails' extremes.
    rng = np.random.default_rng(0)
    drawn = rng.hypergeometric(8, 52, 20, 100_000)
    expected = 8 * 20 / 60
    assert row["n"] == 20
    from pipeline.slices.max_t import _deviance

    inside = _deviance(drawn.astype(float), np.full(100_000, 20), 8, 60, 1.0)
    outside = _deviance(8.0 - drawn, np.full(100_000, 40), 8, 60, 1.0)
    seen = _deviance(np.array([6.0]), np.array([20]), 8, 60, 1.0)[0]
    want = (np.maximum(inside, outside) >= seen - 1e-9).mean()
    assert expected < 6
    assert row["p_family"] == pytest.approx(want, abs=0.012)


@pytest.mark.parametrize("kind", ["binary", "gamma"])
@pytest.mark.parametrize("grouping", ["none", "cells", "weights", "groups"])
def test_under_the_null_it_is_small_as_rarely_as_it_says(kind: str, grouping: str) -> None:
    small = 0
    for seed in range(40):
        table, errors = plant_nothing(seed, 400, kind=kind)
        table = table.select(table.columns[:2] if grouping == "cells" else table.columns[:5])
        options: dict[str, object] = {"permutations": 99, "min_support": 20}
        if grouping == "weights":
            options["weights"] = np.random.default_rng(seed).random(400) + 0.5
        if grouping == "groups":
            options["groups"] = np.arange(400) // 2
        small += smallest_family_p(table, errors, **options) <= 0.1
    assert small <= 10  # 99.8 % quantile at a true rate of 10 %


def test_grouped_rows_and_single_rows_agree() -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({name: rng.integers(0, 3, 5000) for name in "abc"})
    errors = (rng.random(5000) < 0.1 + 0.05 * (table["a"].to_numpy() == 1)).astype(float)
    grouped = audit_slices(table, errors, permutations=400, show_insufficient=3)
    assert grouped.search.grouped
    # An attribute with many rare values forbids grouping and adds no slice.
    table = table.with_columns(d=pl.Series(rng.permutation(5000)))
    single = audit_slices(table, errors, permutations=400, show_insufficient=3, must_not=["d"])
    assert single.findings["predicates"].to_list() == grouped.findings["predicates"].to_list()
    assert single.findings["p_family"].to_list() == pytest.approx(
        grouped.findings["p_family"].to_list(), abs=0.08
    )


def test_with_shared_images_grouped_rows_and_single_rows_agree_exactly() -> None:
    rng = np.random.default_rng(3)
    table = pl.DataFrame({name: rng.integers(0, 3, 3000) for name in "abc"})
    errors = (rng.random(3000) < 0.1 + 0.02 * (table["a"].to_numpy() == 1)).astype(float)
    groups = number_groups(rng.integers(0, 900, 3000), rows=3000)
    losses = prepare_losses(errors, None, rows=3000)
    rows = sort_rows(AuditRows(encode_table(table), losses, groups))
    discovery = open_discovery(rows, SearchOptions())
    search, family = discovery.search, discovery.count().family
    single = make_cells(
        rows.codes, rows.losses, search.kernels,
        min_weight=search.min_weight, leave_out=lambda *_: False, group=False,
    )  # fmt: skip
    assert search.cells.cell_of is not None
    assert single.cell_of is None
    p_family = []
    assert rows.groups is not None
    for cells in (search.cells, single):
        slices, sums = family.slices, family.sums
        clustered = measure_slices(
            cells, discovery.codes, rows.groups, search.kernels, slices, sums
        )
        found = compute_family_p(
            cells, discovery.codes, search.kernels, slices=slices, sums=sums,
            asked=np.arange(len(family)), direction="worse", permutations=100, seed=0,
            groups=rows.groups, clustered=clustered,
        )  # fmt: skip
        p_family.append(found.p.tolist())
    assert p_family[0] == p_family[1]
    assert any(0.02 < p < 1 for p in p_family[0])


def test_the_numpy_path_gives_the_same_findings() -> None:
    planted = plant(1, 1200)
    groups = np.arange(1200) // 3
    for options in ({}, {"groups": groups}, {"weights": np.arange(1200) % 3 + 1.0}):
        frames = [
            audit_slices(
                planted.table,
                planted.errors,
                permutations=20,
                backend=backend,
                max_level=2,
                **options,
            ).findings
            for backend in ("numba", "numpy")
        ]
        assert frames[0].height > 0
        floats = pl.col(pl.Float64).round_sig_figs(9)
        assert frames[0].with_columns(floats).equals(frames[1].with_columns(floats))
