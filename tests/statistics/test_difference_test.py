import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipeline.arrays import Floats
from pipeline.statistics.difference_test import compare_estimates
from pipeline.statistics.estimates import Estimate, estimate_mean, number_clusters


def estimate(numbers: Floats, split: int, images: pl.Series | None = None) -> list[Estimate]:
    values = number_clusters(numbers, images)
    return [
        estimate_mean(values, np.arange(split)),
        estimate_mean(values, np.arange(split, len(numbers))),
    ]


def test_of_independent_samples_it_is_a_little_above_welch() -> None:
    numbers = np.random.default_rng(0).normal(size=200)
    numbers[:80] += 0.3
    own, other = estimate(numbers, 80)
    welch = stats.ttest_ind(numbers[:80], numbers[80:], equal_var=False).pvalue
    assert welch <= compare_estimates(own, other) <= 1.5 * welch  # fewer degrees of freedom
    assert compare_estimates(own, other, beyond=0.2) > 2 * welch


def test_samples_that_never_vary_are_compared_exactly() -> None:
    own, other = estimate(np.repeat([1.0, 0.0], 6), 6)
    assert compare_estimates(own, other) == pytest.approx(2 / 924)  # of 12 over 6
    same = estimate(np.ones(12), 6)
    assert compare_estimates(*same) == 1.0


def test_copies_of_a_sample_in_its_image_add_nothing() -> None:
    numbers = np.random.default_rng(1).normal(size=60)
    images = pl.Series(np.repeat(np.arange(60), 4))
    plain = compare_estimates(*estimate(numbers, 30))
    assert compare_estimates(*estimate(np.repeat(numbers, 4), 120, images)) == pytest.approx(plain)
