"""The test of a change of a gap, with and without the picking of its slice."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.comparison.gap_moments import Moments
from pipeline.comparison.selected_change import weigh_change


def draw_moments(before: float, after: float, *, covariance: float = 0.0) -> Moments:
    return Moments(before, after, 0.03**2, 0.04**2, covariance)


def test_without_picking_it_is_the_normal_test() -> None:
    change = weigh_change(draw_moments(0.30, 0.22, covariance=0.0004))
    spread = math.sqrt(0.03**2 + 0.04**2 - 0.0008)
    assert change.p == pytest.approx(2 * stats.norm.sf(0.08 / spread))
    assert (change.low, change.high) == pytest.approx(
        (-0.08 - 1.959964 * spread, -0.08 + 1.959964 * spread), abs=1e-6
    )


def test_one_that_was_picked_is_the_normal_test_cut_off() -> None:
    """By scipy's truncated normal distribution, for a slice picked before."""
    gap = draw_moments(0.30, 0.12)
    change = weigh_change(gap, least_before=0.25)
    spread = 0.05
    k = 0.03**2 / spread**2
    bound = (0.30 + k * -0.18 - 0.25) / k  # before = S - k D > 0.25
    cut = stats.truncnorm(-np.inf, bound / spread, scale=spread)
    assert change.p == pytest.approx(2 * cut.cdf(-0.18), rel=1e-6)
    at_high = stats.truncnorm(
        -np.inf, (bound - change.high) / spread, loc=change.high, scale=spread
    )
    assert at_high.cdf(-0.18) == pytest.approx(0.025, rel=1e-4)
    assert change.low == pytest.approx(-0.18 - 1.959964 * spread, abs=1e-6)


def test_picking_counts_the_other_way_round_for_the_second_run() -> None:
    one = weigh_change(draw_moments(0.30, 0.12), least_before=0.25)
    swapped = Moments(0.12, 0.30, 0.04**2, 0.03**2, 0.0)
    other = weigh_change(swapped, least_after=0.25)
    assert (other.low, other.high, other.p) == pytest.approx((-one.high, -one.low, one.p), rel=1e-6)


@pytest.mark.parametrize("gaps", [(0.2, 0.2), (0.2, 2.0), (2.0, 0.0), (0.0, -3.0)])
@pytest.mark.parametrize("least", [(0.1, None), (None, 0.1), (0.5, 0.5), (9.0, -9.0)])
def test_picking_never_makes_a_change_more_certain(
    gaps: tuple[float, float], least: tuple[float | None, float | None]
) -> None:
    """Also far out in the tails, and with thresholds that the gaps do not reach."""
    gap = draw_moments(*gaps)
    plain = weigh_change(gap)
    picked = weigh_change(gap, least_before=least[0], least_after=least[1])
    assert picked.low <= plain.low + 1e-9
    assert picked.high >= plain.high - 1e-9
    assert picked.p >= plain.p
    assert not math.isnan(picked.p)


def test_picked_slices_that_did_not_change_are_covered() -> None:
    """Gaps of one size, measured twice and picked by the first: the naive interval misses many."""
    rng = np.random.default_rng(3)
    before, after = 0.1 + 0.05 * rng.normal(size=(2, 20_000))
    picked = before > 0.17
    moments = [
        Moments(one, other, 0.05**2, 0.05**2, 0.0)
        for one, other in zip(before[picked][:600], after[picked][:600], strict=True)
    ]
    naive = [weigh_change(one) for one in moments]
    aware = [weigh_change(one, least_before=0.17) for one in moments]
    assert np.mean([one.low <= 0 <= one.high for one in naive]) < 0.85
    assert np.mean([one.low <= 0 <= one.high for one in aware]) > 0.94


def test_no_spread() -> None:
    same = weigh_change(Moments(0.1, 0.1, 0.0, 0.0, 0.0))
    assert (same.value, same.p) == (0.0, 1.0)
