"""Tests, corrections, intervals and power against scipy and by simulation."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from pipeline.slices import search_slices
from pipeline.slices.counting.fixed_point import Losses, prepare_losses
from pipeline.slices.evidence.detectable_gap import detectable_gap
from pipeline.slices.evidence.difference_interval import compute_interval
from pipeline.slices.options import Direction
from pipeline.statistics.intervals import newcombe_interval, wilson_interval
from pipeline.statistics.p_values import adjust_bh, adjust_holm, fisher

Floats = NDArray[np.float64]


def two_slices(inside: Floats, outside: Floats, weights: Floats | None = None) -> dict[str, float]:
    """Return the family row of the slice that holds `inside`."""
    table = pl.DataFrame({"a": ["in"] * len(inside) + ["out"] * len(outside)})
    family = search_slices(
        table, np.concatenate([inside, outside]), weights=weights, min_support=1e-9 + 1
    )
    return family.filter(pl.col("predicates").list.get(0).struct.field("value") == "in").row(
        0, named=True
    )


@settings(max_examples=60)
@given(seed=st.integers(0, 100_000))
def test_p_is_scipys_welch_or_that_of_the_variance_of_all_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = rng.gamma(1, 1, int(rng.integers(3, 60))) * 1.3
    outside = rng.gamma(1, 1, int(rng.integers(3, 200)))
    want = stats.ttest_ind(inside, outside, equal_var=False, alternative="greater")
    variance = np.concatenate([inside, outside]).var(ddof=1)
    spread = np.sqrt(variance * (1 / len(inside) + 1 / len(outside)))
    pooled = stats.norm.sf((inside.mean() - outside.mean()) / spread)
    expected = max(want.pvalue, pooled)
    assert two_slices(inside, outside)["p"] == pytest.approx(expected, rel=1e-6, abs=1e-12)


@settings(max_examples=60)
@given(st.integers(2, 300), st.data())
def test_small_counts_get_fishers_exact_p(n: int, data: st.DataObject) -> None:
    rest = data.draw(st.integers(2, 300))
    high = data.draw(st.integers(0, min(9, n)))
    rest_high = data.draw(st.integers(0, rest))
    want = stats.hypergeom.sf(high - 1, n + rest, high + rest_high, n)
    if 0 < high + rest_high < n + rest:
        inside, outside = np.zeros(n), np.zeros(rest)
        inside[:high] = outside[:rest_high] = 1.0
        assert two_slices(inside, outside)["p"] == pytest.approx(want, rel=1e-8, abs=1e-300)
    got = fisher(np.array([high]), np.array([n]), high + rest_high, n + rest)
    assert got[0] == pytest.approx(want, rel=1e-8, abs=1e-300)
    less = fisher(np.array([high]), np.array([n]), high + rest_high, n + rest, direction="better")
    assert less[0] == pytest.approx(
        stats.hypergeom.cdf(high, n + rest, high + rest_high, n), rel=1e-8, abs=1e-300
    )


def test_any_two_error_values_are_tested_as_counts() -> None:
    inside, outside = np.repeat([2.0, 0.5], [5, 10]), np.repeat([2.0, 0.5], [4, 80])
    want = stats.hypergeom.sf(4, 99, 9, 15)
    assert two_slices(inside, outside)["p"] == pytest.approx(want, rel=1e-9)


def test_weighted_p_uses_kishs_effective_size() -> None:
    rng = np.random.default_rng(0)
    inside, outside = rng.gamma(1, 1.4, 50), rng.gamma(1, 1, 200)
    weights = rng.integers(1, 6, 250).astype(float)
    got = two_slices(inside, outside, weights)["p"]

    def describe(x: Floats, w: Floats) -> tuple[float, float, float]:
        mean = np.average(x, weights=w)
        n = w.sum() ** 2 / (w**2).sum()
        return mean, np.average((x - mean) ** 2, weights=w) * n / (n - 1) / n, n

    (a, va, na), (b, vb, nb) = describe(inside, weights[:50]), describe(outside, weights[50:])
    freedom = (va + vb) ** 2 / (va**2 / (na - 1) + vb**2 / (nb - 1))
    assert got == pytest.approx(stats.t.sf((a - b) / np.sqrt(va + vb), freedom), rel=1e-6)
    # Scaling all weights changes nothing.
    assert two_slices(inside, outside, weights * 7)["p"] == pytest.approx(got, rel=1e-9)


def test_a_slice_without_variance_borrows_the_pooled_one() -> None:
    outside = np.random.default_rng(0).gamma(1, 1, 100)
    p = two_slices(np.full(3, 1.2), outside)["p"]
    assert 0.05 < p < 0.95
    assert two_slices(np.array([50.0]), outside)["p"] == 1.0


@pytest.mark.parametrize(("direction", "size"), [("better", 20), ("worse", 380)])
def test_skewed_errors_make_no_evidence_of_a_small_side_without_large_ones(
    direction: Direction, size: int
) -> None:
    # Welch's lower tail is too light here: p below 0.01 in 11 to 14 % of the tables.
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"a": ["in"] * 20 + ["out"] * 380})
    small = 0
    for _ in range(400):
        errors = np.exp(1.5 * rng.normal(size=400))
        found = search_slices(table, errors, direction=direction, min_support=1)
        small += found.filter(pl.col("n") == size)["p"][0] < 0.01
    assert small <= 8


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_q_equals_scipys_benjamini_hochberg(p: list[float]) -> None:
    want = stats.false_discovery_control(np.array(p))
    assert adjust_bh(np.array(p)) == pytest.approx(want, rel=1e-12)


def test_holm_steps_down() -> None:
    assert adjust_holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])


def losses_of(values: Floats) -> Losses:
    return prepare_losses(values, None, rows=len(values))


def test_wilson_equals_scipys() -> None:
    for count, n in ((0, 5), (3, 10), (50, 50), (17, 400)):
        want = stats.binomtest(count, n).proportion_ci(method="wilson")
        low, high = wilson_interval(np.array([float(count)]), np.array([n]))
        assert (low[0], high[0]) == pytest.approx((want.low, want.high), abs=1e-12)


def test_newcombe_gives_the_published_example() -> None:
    # Newcombe 1998, table II, case (a): 56/70 - 48/80, method 10.
    numbers = [np.array([float(x)]) for x in (56, 70, 48, 80)]
    low, high = newcombe_interval(*numbers)
    assert (low[0], high[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_welch_interval_equals_scipys() -> None:
    rng = np.random.default_rng(0)
    inside, outside = rng.gamma(1, 1, 40), rng.gamma(2, 1, 90)
    values = np.concatenate([inside, outside])
    got = compute_interval(losses_of(values), np.arange(130) < 40, cluster_ids=None, seed=0)
    want = stats.ttest_ind(inside, outside, equal_var=False).confidence_interval()
    assert got == pytest.approx((want.low, want.high), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "gamma", "cluster_ids"])
def test_intervals_cover_the_true_difference(kind: str) -> None:
    rng = np.random.default_rng(1)
    hits, rounds = 0, 250 if kind == "cluster_ids" else 1500
    for _ in range(rounds):
        inside = np.arange(400) < 80
        cluster_ids = None
        if kind == "binary":
            errors = (rng.random(400) < np.where(inside, 0.3, 0.1)).astype(float)
        elif kind == "gamma":
            errors = rng.gamma(1.0, 1.0, 400) * np.where(inside, 0.3, 0.1)
        else:  # four rows an image that share half of their error
            cluster_ids = np.arange(400) // 4
            errors = rng.gamma(1.0, 1.0, 100)[cluster_ids] * 0.1 + rng.gamma(1.0, 0.1, 400)
            errors += np.where(inside, 0.2, 0.0)
        low, high = compute_interval(losses_of(errors), inside, cluster_ids=cluster_ids, seed=0)
        hits += low <= 0.2 <= high
    assert 0.925 <= hits / rounds <= 0.975


def test_an_interval_needs_two_sides() -> None:
    low, high = compute_interval(
        losses_of(np.ones(5)), np.ones(5, np.bool_), cluster_ids=None, seed=0
    )
    assert np.isnan(low)
    assert np.isnan(high)


def test_the_detectable_gap_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(2)
    n, size, tests = 2000, 200, 50
    gap = detectable_gap(
        n=n, size=size, tests=tests, mean=0.1, deviation=0.3, ceiling=1.0, binary=True
    )
    assert gap is not None
    seen = 0
    for _ in range(600):
        count, rest = rng.binomial(size, 0.1 + gap), rng.binomial(n - size, 0.1)
        pooled = (count + rest) / n
        z = count / size - rest / (n - size)
        z /= np.sqrt(pooled * (1 - pooled) * (1 / size + 1 / (n - size)))
        seen += stats.norm.sf(z) < 0.05 / tests
    assert 0.74 <= seen / 600 <= 0.86


def test_no_gap_can_be_shown_where_errors_cannot_be_large_enough() -> None:
    assert (
        detectable_gap(
            n=1000, size=4, tests=10_000, mean=0.5, deviation=0.5, ceiling=1.0, binary=True
        )
        is None
    )
    assert (
        detectable_gap(n=10, size=10, tests=1, mean=0.5, deviation=0.5, ceiling=1.0, binary=True)
        is None
    )
