"""What groups share: images, strata, and too few errors to be sure of anything."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import stats

from pipeline.fairness.measure import measure_fairness
from tests.fairness.drawn_groups import draw_errors, row_of


def test_two_groups_that_share_each_image_are_compared_the_more_surely() -> None:
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(200), 2)
    table = pl.DataFrame({"sex": ["w", "m"] * 200})
    errors = np.repeat((rng.random(200) < 0.5).astype(float), 2)  # both are missed, or neither
    errors[::20] = 1 - errors[::20]
    together = measure_fairness(table, errors, sensitive=["sex"], cluster_ids=pl.Series(images))
    apart = measure_fairness(table, errors, sensitive=["sex"])
    width = {}
    for name, found in (("together", together), ("apart", apart)):
        row = row_of(found.gaps, sex="w")
        width[name] = row["difference_high"] - row["difference_low"]
    # Only 20 of 200 pairs differ: sqrt(0.1 / 200) against sqrt(2 x 0.25 / 200).
    assert width["together"] == pytest.approx(width["apart"] * 0.2**0.5, rel=0.15)


def test_a_group_of_few_errors_is_no_surer_of_itself_than_dealing_them_out_is() -> None:
    table = pl.DataFrame({"sex": ["w"] * 200 + ["m"] * 2000, "size": ["s"] * 2200})
    errors = np.zeros(2200)
    errors[[5, 50, *range(200, 260)]] = 1.0  # 2 of 200 against 60 of 2,000
    want = stats.chi2_contingency([[2, 198], [60, 1940]], correction=False).pvalue
    images = pl.Series([0, 0, *range(2, 2200)])
    for grouping in (None, images):
        found = measure_fairness(
            table, errors, sensitive=["sex"], adjust_for=["size"], cluster_ids=grouping
        )
        row = row_of(found.gaps, sex="w")
        assert row["adjusted_p"] == pytest.approx(want, rel=0.05)
        assert row["p"] >= 0.95 * want
        assert row["adjusted_difference"] == pytest.approx(row["difference"])


@pytest.mark.slow
def test_the_adjusted_interval_is_that_of_resampled_samples() -> None:
    rng = np.random.default_rng(1)
    n = 600
    table = pl.DataFrame(
        {
            "sex": np.where(rng.random(n) < 0.2, "w", "m"),
            "size": np.where(rng.random(n) < 0.5, "small", "large"),
        }
    )
    # Size is nearly all there is: which sizes the group happens to have moves both its mean and
    # what is expected of it, and so hardly the difference.
    errors = draw_errors(rng, np.where((table["size"] == "small").to_numpy(), 0.92, 0.08))

    def adjust(rows: NDArray[np.int64]) -> dict[str, float]:
        found = measure_fairness(
            table[rows], errors[rows], sensitive=["sex"], adjust_for=["size"], max_level=1
        )
        return row_of(found.gaps, sex="w")

    row = adjust(np.arange(n))
    drawn = [adjust(rng.integers(0, n, n))["adjusted_difference"] for _ in range(300)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert row["adjusted_high"] - row["adjusted_low"] == pytest.approx(high - low, rel=0.2)
    assert row["difference_high"] - row["difference_low"] > 1.4 * (high - low)


def test_more_samples_are_needed_where_those_of_one_image_are_alike() -> None:
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(200), 10)
    table = pl.DataFrame({"sex": ["w"] * 10 + ["m"] * 1990})
    errors = draw_errors(rng, np.full(2000, 0.3), images)
    alone = row_of(measure_fairness(table, errors, sensitive=["sex"]).gaps, sex="w")
    found = measure_fairness(table, errors, sensitive=["sex"], cluster_ids=pl.Series(images))
    assert row_of(found.gaps, sex="w")["needed_n"] > 2 * alone["needed_n"] > 200


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_real_errors_that_are_all_equal_tell_nothing_of_how_sure_they_are(
    *, shared: bool, constant: float
) -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"sex": ["w"] * 31 + ["m"] * 100, "size": rng.choice(["s", "l"], 131)})
    errors = np.concatenate([np.full(31, constant), rng.gamma(1.0, 1.0, 100)])
    images = pl.Series(np.arange(131) // 2) if shared else None
    found = measure_fairness(
        table, errors, sensitive=["sex"], adjust_for=["size"], cluster_ids=images
    )
    row = row_of(found.gaps, sex="w")
    assert row["value"] == pytest.approx(constant)
    ends = ("ci_low", "ci_high", "difference_low", "difference_high", "adjusted_low")
    assert [row[name] for name in ends] == [None] * 5
    assert row["state"] == "gap"  # the others show that errors differ, and by how much
    men = row_of(found.gaps, sex="m")
    assert men["ci_low"] < men["value"] < men["ci_high"]
