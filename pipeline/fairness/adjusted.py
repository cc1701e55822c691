"""A group against its rest within strata: what is left of a gap when size or blur are alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.fairness.estimates import NAN, Estimate, Interval, Values, subtract, weigh_spread
from pipeline.fairness.gap_significance import compute_score_p
from pipeline.fairness.groups import Group

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LEAST_SHARE = 0.5  # of a group that must lie in strata with others, or nothing is said


@dataclass(frozen=True)
class Adjusted:
    """A difference within strata; NaN where too little of the group can be compared."""

    difference: float
    interval: Interval
    p: float
    compared_share: float


@dataclass(frozen=True)
class _Strata:
    """Counts, by stratum, of the rows that are compared."""

    inside: Ints  # rows, then their strata
    outside: Ints
    own: Ints
    other: Ints
    n: Floats  # (s,) rows inside
    rest_n: Floats
    rest_mean: Floats

    @property
    def weight(self) -> Floats:
        """(s,) what a row outside counts, so that the strata are mixed as in the group."""
        return np.divide(
            self.n, self.rest_n * len(self.inside), out=np.zeros_like(self.n), where=self.rest_n > 0
        )


def compare_within_strata(values: Values, group: Group, strata: Ints) -> Adjusted:
    """Compare a group with its rest as if the rest had the group's distribution over strata.

    strata: (n,) a number for each combination of covariates, -1 where one is unknown. Direct
    standardization (Rothman, Greenland and Lash, Modern Epidemiology, 2008, chapter 15): the mean
    over the group's rows of each row's error minus the rest's mean in its stratum. Strata where the
    rest has fewer than two rows are left out, which `compared_share` tells.
    """
    found = _compare(values, group, strata)
    share = len(found.inside) / len(group.inside) if len(group.inside) else NAN
    if not share >= _LEAST_SHARE:
        return Adjusted(NAN, (NAN, NAN), NAN, share)
    one, other = _standardize(values, found)
    difference, interval = subtract(one, other)
    p = compute_score_p(
        values, found.inside, found.outside, own=found.own, other=found.other, weight=found.weight
    )
    return Adjusted(difference, interval, p, share)


def _compare(values: Values, group: Group, strata: Ints) -> _Strata:
    """Keep the rows in strata where both sides have some."""
    own, other = strata[group.inside], strata[group.outside]
    count = int(strata.max(initial=-1)) + 1
    n = np.bincount(own[own >= 0], minlength=count)
    rest_n = np.bincount(other[other >= 0], minlength=count)
    # A stratum number of -1 reads the last entry, which is always False.
    both = np.append((n > 0) & (rest_n > 1), False)
    inside, outside = group.inside[both[own]], group.outside[both[other]]
    own, other = strata[inside], strata[outside]
    total = np.bincount(other, values.numbers[outside], minlength=count)
    return _Strata(
        inside, outside, own, other,
        n=np.where(both[:-1], n, 0).astype(np.float64),
        rest_n=np.where(both[:-1], rest_n, 0).astype(np.float64),
        rest_mean=np.divide(total, rest_n, out=np.zeros(count), where=rest_n > 0),
    )  # fmt: skip


def _standardize(values: Values, found: _Strata) -> tuple[Estimate, Estimate]:
    """Estimate the group's mean and that of the rest, mixed as the group is, with influences."""
    n = len(found.inside)
    mean = float(values.numbers[found.inside].mean())
    expected = found.rest_mean[found.own]
    standard = float(expected.mean())
    spread = values.add_up(found.inside, (values.numbers[found.inside] - mean) / n)
    # In a stratum of few rows their own mean takes up some of their variance.
    small = np.sqrt(found.rest_n / np.maximum(found.rest_n - 1, 1))
    residual = values.numbers[found.outside] - found.rest_mean[found.other]
    rest_spread = values.add_up(found.outside, (found.weight * small)[found.other] * residual)
    rest_spread += values.add_up(found.inside, (expected - standard) / n)
    kish = 1.0 / float((found.weight**2 * found.rest_n).sum())
    images, rest_images = values.count_images(found.inside), values.count_images(found.outside)
    return (
        weigh_spread(mean, spread, n=n, most=float(n), images=images, rate=values.rate),
        weigh_spread(
            standard, rest_spread, n=len(found.outside), most=kish,
            images=rest_images, rate=values.rate,
        ),
    )  # fmt: skip
