"""Means of clustered samples: their intervals against the truth and against resampled clusters."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrays import Floats, Ints
from pipeline.statistics.estimates import Estimate, Values, estimate_mean, number_clusters, subtract
from pipeline.statistics.intervals import wilson_interval

MEAN = 0.3


def draw_clusters(
    rng: np.random.Generator, *, count: int, mean: float = MEAN, rate: bool = True
) -> tuple[Floats, Ints]:
    """Draw 1 to 8 crops of each image; each image has a difficulty of its own about the mean."""
    clusters = np.repeat(np.arange(count), rng.integers(1, 9, count))
    chance = rng.beta(2 * mean, 2 * (1 - mean), count)[clusters]
    if rate:
        return (rng.random(len(clusters)) < chance).astype(np.float64), clusters
    return chance * rng.gamma(4.0, 0.25, len(clusters)), clusters


def estimate(numbers: Floats, clusters: Ints | None) -> Estimate:
    ids = None if clusters is None else pl.Series(clusters)
    return estimate_mean(number_clusters(numbers, ids), np.arange(len(numbers)))


def holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


@pytest.mark.parametrize("rate", [True, False])
@pytest.mark.parametrize("count", [15, 60])
def test_intervals_of_clustered_samples_hold_the_truth_about_95_times_of_100(
    count: int, *, rate: bool
) -> None:
    rounds = 1000
    clustered = independent = 0
    for seed in range(rounds):
        numbers, clusters = draw_clusters(np.random.default_rng(seed), count=count, rate=rate)
        clustered += holds(estimate(numbers, clusters).interval, MEAN)
        independent += holds(estimate(numbers, None).interval, MEAN)
    print(f"{count} images, rate {rate}: {clustered / rounds:.3f} of intervals hold the truth, "
          f"{independent / rounds:.3f} as if crops were independent")  # fmt: skip
    # The t interval of a few skewed means is a little short; Wilson's is not.
    least = 0.92 if rate or count > 15 else 0.9
    assert least * rounds <= clustered <= 0.97 * rounds
    assert independent < 0.85 * rounds


@pytest.mark.parametrize("rate", [True, False])
def test_intervals_are_as_wide_as_those_of_resampled_clusters(*, rate: bool) -> None:
    rng = np.random.default_rng(7)
    numbers, clusters = draw_clusters(rng, count=200, rate=rate)
    total = np.bincount(clusters, numbers)
    size = np.bincount(clusters)
    drawn = rng.integers(0, 200, (4000, 200))
    low, high = np.quantile(total[drawn].sum(axis=1) / size[drawn].sum(axis=1), [0.025, 0.975])
    own = estimate(numbers, clusters).interval
    print(f"rate {rate}: {own[0]:.4f} to {own[1]:.4f}, bootstrap {low:.4f} to {high:.4f}")
    assert own[0] == pytest.approx(low, abs=0.01)
    assert own[1] - own[0] == pytest.approx(high - low, rel=0.1)


def test_the_interval_of_a_difference_holds_it_where_clusters_are_in_both_means() -> None:
    rounds, held = 500, 0
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        numbers, clusters = draw_clusters(rng, count=60)
        values = number_clusters(numbers, pl.Series(clusters))
        side = rng.random(len(numbers)) < 0.4
        means = [estimate_mean(values, np.flatnonzero(rows)) for rows in (side, ~side)]
        held += holds(subtract(*means)[1], 0.0)
    assert 0.92 * rounds <= held <= 0.98 * rounds


@given(st.integers(0, 20), st.integers(1, 20))
def test_the_interval_of_a_rate_of_independent_rows_is_wilsons(wrong: int, right: int) -> None:
    numbers = np.repeat([1.0, 0.0], [wrong, right])
    n = np.array([wrong + right])
    low, high = wilson_interval(np.array([float(wrong)]), n)
    assert estimate(numbers, np.arange(len(numbers))).interval == (low[0], high[0])


def test_equal_errors_in_all_clusters_count_as_one_sample_a_cluster() -> None:
    found = estimate(np.zeros(200), np.repeat(np.arange(20), 10))
    assert (found.size, found.clusters, found.n) == (20.0, 20, 200)
    assert found.interval[0] == 0.0
    assert 0.15 < found.interval[1] < 0.25


@pytest.mark.parametrize(
    ("numbers", "clusters"),
    [([0.0, 1.0, 1.0], [0, 0, 0]), ([2.5], [0]), ([2.5, 2.5, 2.5], [0, 0, 1])],
)
def test_too_few_clusters_or_equal_real_errors_have_no_interval(
    numbers: list[float], clusters: list[int]
) -> None:
    assert np.isnan(estimate(np.array(numbers), np.array(clusters)).interval).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 9)), min_size=2), st.randoms())
def test_neither_names_nor_order_of_clusters_matter(
    rows: list[tuple[int, float]], random: object
) -> None:
    clusters, numbers = (np.array(column) for column in zip(*rows, strict=True))
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis' Random
    one, other = estimate(numbers, clusters), estimate(numbers[order], 9 - clusters[order])
    assert (one.n, one.clusters) == (other.n, other.clusters)
    assert one.value == pytest.approx(other.value)
    assert one.variance == pytest.approx(other.variance, abs=1e-12)


def test_rows_that_share_no_cluster_are_independent() -> None:
    values = number_clusters(np.array([1.0, 0.0]), pl.Series(["b", "a"]))
    assert values.clusters is None
    assert isinstance(values, Values)
