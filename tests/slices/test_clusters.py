"""Rows of one image, tested together: chance in small slices of a mostly failing system."""

from typing import Literal

import numpy as np
import polars as pl
import pytest
from scipy import special

from pipeline.slices import audit_slices
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.clusters import compare_clusters
from pipeline.slices.evidence.difference_interval import compute_interval
from tests.slices.planted import members_of


def test_nine_misses_of_nine_prove_nothing_where_nearly_all_are_missed() -> None:
    errors = np.ones(300)
    errors[::16] = 0.0  # 19 of 300 are found, none of them in the slice
    inside = np.zeros(300, np.bool_)
    inside[[i * 33 + 1 for i in range(9)]] = True
    assert errors[inside].all()
    cluster_ids = np.arange(300) // 4
    p = compare_clusters(
        prepare_losses(errors, None, rows=300), cluster_ids, inside, direction="worse"
    )
    assert p > 0.2


@pytest.mark.parametrize(
    ("miss", "share", "alike", "by_image"),
    [
        (0.94, 0.05, 0.0, False),
        (0.94, 0.1, 0.0, False),
        (0.5, 0.1, 0.0, False),
        (0.06, 0.6, 0.0, False),
        (0.05, 0.9, 0.0, False),  # the mirror: few errors, and none in the small complement
        (0.94, 0.1, 0.6, True),
        (0.05, 0.9, 0.6, True),
        (0.5, 0.1, 0.6, True),
    ],
)
def test_chance_is_called_evidence_no_more_often_than_p_says(
    miss: float, share: float, alike: float, *, by_image: bool
) -> None:
    rng = np.random.default_rng(3)
    cluster_ids = np.repeat(np.arange(150), 4)
    p = []
    for _ in range(400):
        own, shared = rng.random(600) < miss, (rng.random(150) < miss)[cluster_ids]
        errors = np.where(rng.random(600) < alike**0.5, shared, own).astype(np.float64)
        inside = (rng.random(150) < share)[cluster_ids] if by_image else rng.random(600) < share
        losses = prepare_losses(errors, None, rows=600)
        p.append(compare_clusters(losses, cluster_ids, inside, direction="worse"))
    assert (np.array(p) < 0.01).mean() < 0.03
    assert (np.array(p) < 0.05).mean() < 0.09


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_skewed_errors_of_shared_images_are_no_evidence(share: float) -> None:
    rng = np.random.default_rng(4)
    cluster_ids = np.repeat(np.arange(150), 4)
    p = []
    for _ in range(300):
        errors = np.exp(
            1.5 * (0.6 * rng.normal(size=150)[cluster_ids] + 0.8 * rng.normal(size=600))
        )
        losses = prepare_losses(errors, None, rows=600)
        inside = (rng.random(150) < share)[cluster_ids]
        p.append(compare_clusters(losses, cluster_ids, inside, direction="worse"))
    assert (np.array(p) < 0.01).mean() < 0.03
    assert (np.array(p) < 0.05).mean() < 0.09


def test_clusters_of_one_row_have_the_variance_of_all_rows_at_least() -> None:
    errors = np.ones(200)
    errors[:20] = 0.0
    inside = np.arange(200) >= 180
    losses = prepare_losses(errors, None, rows=200)
    p = compare_clusters(losses, np.arange(200), inside, direction="worse")
    # By hand: 20 rows with an excess of 0.1 each, variance 0.09 * 20 * 0.9.
    assert p == pytest.approx(float(special.stdtr(19, -2.0 / (0.09 * 20 * 0.9) ** 0.5)))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_family_and_one_comparison_agree(
    backend: Literal["numba", "numpy"], *, weighted: bool
) -> None:
    rng = np.random.default_rng(5)
    table = pl.DataFrame({name: rng.integers(0, 3, 500).astype(str) for name in "ab"})
    table = table.with_columns(d=pl.Series((np.arange(500) // 20).astype(str)))
    errors = (rng.random(500) < 0.9).astype(np.float64)
    weights = rng.random(500) + 0.5 if weighted else None
    cluster_ids = np.arange(500) // 5
    result = audit_slices(table, errors, cluster_ids=cluster_ids, weights=weights, backend=backend)
    losses = prepare_losses(errors, weights, rows=500)
    for row in result.family.iter_rows(named=True):
        inside = members_of(table, row["predicates"])
        expected = compare_clusters(losses, cluster_ids, inside, direction="worse")
        assert row["p"] == pytest.approx(expected, abs=1e-9)


def test_a_slice_in_which_all_fail_is_not_sure_of_it() -> None:
    errors = np.ones(260)
    errors[60::13] = 0.0  # 16 of the 200 others are found
    inside = np.arange(260) < 60
    cluster_ids = np.arange(260) // 2
    low, high = compute_interval(
        prepare_losses(errors, None, rows=260), inside, cluster_ids=cluster_ids, seed=0
    )
    assert low < 0 < 0.08 < high < 0.2
