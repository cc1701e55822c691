"""Family-wise p-values: exact where the answer is known, calibrated where it is not."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipeline.slices import audit_slices
from pipeline.slices.audit_rows import AuditRows, number_clusters, sort_rows
from pipeline.slices.counting.cells import make_cells
from pipeline.slices.counting.encode import encode_table
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.assessment import open_assessor
from pipeline.slices.evidence.discovery import open_discovery
from pipeline.slices.evidence.root_deviance import root_deviance
from pipeline.slices.options import SearchOptions
from tests.slices.planted import members_of, plant, plant_nothing


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
    assert row["n"] == 20
    inside = root_deviance(drawn.astype(float), np.full(100_000, 20), 8, 60, 1.0)
    outside = root_deviance(8.0 - drawn, np.full(100_000, 40), 8, 60, 1.0)
    seen = root_deviance(np.array([6.0]), np.array([20]), 8, 60, 1.0)[0]
    want = (np.maximum(inside, outside) >= seen - 1e-9).mean()
    assert row["p_family"] == pytest.approx(want, abs=0.012)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "gamma"])
@pytest.mark.parametrize("kind_of_rows", ["none", "cells", "weights", "cluster_ids"])
def test_under_the_null_it_is_small_as_rarely_as_it_says(kind: str, kind_of_rows: str) -> None:
    small = 0
    for seed in range(40):
        table, errors = plant_nothing(seed, 400, kind=kind)
        table = table.select(table.columns[:2] if kind_of_rows == "cells" else table.columns[:5])
        options: dict[str, object] = {"permutations": 99, "min_support": 20}
        if kind_of_rows == "weights":
            options["weights"] = np.random.default_rng(seed).random(400) + 0.5
        if kind_of_rows == "cluster_ids":
            options["cluster_ids"] = np.arange(400) // 2
        small += smallest_family_p(table, errors, **options) <= 0.1
    assert small <= 10  # 99.8 % quantile at a true rate of 10 %


def compute_by_both(
    errors: NDArray[np.float64], *, permutations: int, images: NDArray[np.int64] | None = None
) -> list[list[float]]:
    """Return p of each slice of three attributes, of merged rows and of the same rows alone."""
    rng = np.random.default_rng(3)
    n = len(errors)
    table = pl.DataFrame({name: rng.integers(0, 3, n) for name in "abc"})
    cluster_ids = number_clusters(images, rows=n)
    rows = sort_rows(
        AuditRows(encode_table(table), prepare_losses(errors, None, rows=n), cluster_ids)
    )
    discovery = open_discovery(rows, SearchOptions())
    merged = discovery.take()
    cells = make_cells(
        rows.codes, rows.losses, discovery.search.kernels,
        min_weight=discovery.search.min_weight, is_excluded=lambda *_: False, merge=False,
    )  # fmt: skip
    single = dataclasses.replace(merged, cells=cells)
    assert merged.cells.cell_of is not None
    assert single.cells.cell_of is None
    family = discovery.count().family
    chosen = np.arange(len(family))
    out = []
    for subset in (merged, single):
        assessor = open_assessor(discovery, family, permutations=permutations, seed=0)
        full = assessor.assess_subset(subset, np.ones(n, np.bool_))
        out.append(assessor.compute_family_wise(full, chosen).p.tolist())
    return out


def test_merged_rows_and_single_rows_agree() -> None:
    errors = (np.random.default_rng(0).random(3000) < 0.1).astype(float)
    merged, single = compute_by_both(errors, permutations=1000)
    # Each draws its own permutations; a p above .05 stops at 51 hits, with an error of a seventh.
    assert merged == pytest.approx(single, rel=0.5, abs=0.03)
    assert np.mean(np.array(merged) - single) == pytest.approx(0, abs=0.03)
    assert merged != single
    assert any(0.1 < p < 0.9 for p in merged)


def test_with_shared_images_merged_rows_and_single_rows_agree_exactly() -> None:
    rng = np.random.default_rng(0)
    errors = (rng.random(3000) < 0.1).astype(float)
    images = rng.integers(0, 900, 3000)
    merged, single = compute_by_both(errors, permutations=100, images=images)
    assert merged == single
    assert any(0.02 < p < 1 for p in merged)


def test_the_numpy_path_gives_the_same_findings() -> None:
    planted = plant(1, 1200)
    cluster_ids = np.arange(1200) // 3
    for options in ({}, {"cluster_ids": cluster_ids}, {"weights": np.arange(1200) % 3 + 1.0}):
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


def plain_statistic(errors: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    """Return the signed root deviance of 0/1 errors, else Welch's t on the normal scale."""
    a, b = errors[inside], errors[~inside]
    if a.mean() <= b.mean():
        return -np.inf
    if set(np.unique(errors)) <= {0.0, 1.0}:
        parts = [(x.sum(), len(x) * errors.mean()) for x in (a, b)]
        parts += [((1 - x).sum(), len(x) * (1 - errors.mean())) for x in (a, b)]
        return float(np.sqrt(2 * sum(o * np.log(o / e) for o, e in parts if o > 0)))
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    t = (a.mean() - b.mean()) / np.sqrt(va + vb)
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    scale = (8 * freedom + 1) / (8 * freedom + 3)
    return float(np.sqrt(freedom * np.log1p(t * t / freedom)) * scale)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "gamma"])
def test_p_is_that_of_permutations_made_in_the_plainest_way(kind: str) -> None:
    rng = np.random.default_rng(7)
    table = pl.DataFrame({name: rng.integers(0, 3, 120) for name in "abc"})
    rate = np.where(table["a"] == 1, 0.4, 0.12)
    errors = (rng.random(120) < rate).astype(float) if kind == "binary" else rng.gamma(1, rate)
    result = audit_slices(table, errors, permutations=2000, min_support=12, show_insufficient=60)
    names = result.findings["predicates"].to_list()
    family = [members_of(table.cast(pl.String), name) for name in result.family["predicates"]]
    maxima = []
    for _ in range(1000):
        shuffled = rng.permutation(errors)
        maxima.append(max(plain_statistic(shuffled, inside) for inside in family))
    seen = [plain_statistic(errors, members_of(table.cast(pl.String), name)) for name in names]
    want = [(np.array(maxima) >= z - 1e-9).mean() for z in seen]
    assert result.findings["p_family"].to_list() == pytest.approx(want, rel=0.4, abs=0.025)
    assert min(want) < 0.5
