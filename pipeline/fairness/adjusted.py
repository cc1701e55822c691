"""A group and its complement within strata: the gap that is left where size or blur are alike."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.fairness.gap_significance import Sides, compute_score_p
from pipeline.fairness.groups import Group
from pipeline.statistics.estimates import (
    NAN,
    Estimate,
    Interval,
    Values,
    estimate_from_spread,
    subtract,
)

_LEAST_SHARE = 0.5  # of a group that must be in strata with its complement; else no difference


@dataclass(frozen=True)
class Adjusted:
    """A difference within strata; NaN where too little of the group can be compared."""

    difference: float
    interval: Interval
    p: float
    compared_share: float


@dataclass(frozen=True)
class _Strata:
    """The rows that are compared, and by stratum their counts and the complement's mean."""

    sides: Sides
    complement_mean: Floats  # (s,)
    spread_factor: Floats  # (s,) corrects residuals for the complement's few rows in a stratum


def compare_within_strata(values: Values, group: Group, strata: Ints) -> Adjusted:
    """Compare a group with its complement as if that had the group's distribution over strata.

    strata: (n,) a number for each combination of covariates, -1 where one is unknown. Direct
    standardization (Rothman, Greenland and Lash, Modern Epidemiology, 2008, chapter 15): the mean
    over the group's rows of each row's error minus the complement's mean in its stratum. Strata
    where the complement has fewer than two rows are left out; `compared_share` is what remains.
    """
    compared = _select_strata(values, group, strata)
    n = len(compared.sides.members)
    share = n / len(group.members) if len(group.members) else NAN
    if not share >= _LEAST_SHARE:
        return Adjusted(NAN, (NAN, NAN), NAN, share)
    difference, interval = subtract(*_standardize(values, compared))
    return Adjusted(difference, interval, compute_score_p(values, compared.sides), share)


def _select_strata(values: Values, group: Group, strata: Ints) -> _Strata:
    """Keep the rows in strata that have members and at least two rows of the complement."""
    own, other = strata[group.members], strata[group.complement]
    count = int(strata.max(initial=-1)) + 1
    n = np.bincount(own[own >= 0], minlength=count)
    complement_n = np.bincount(other[other >= 0], minlength=count)
    # A stratum number of -1 reads the last entry, which is always False.
    both = np.append((n > 0) & (complement_n > 1), False)
    members, complement = group.members[both[own]], group.complement[both[other]]
    own, other = strata[members], strata[complement]
    total = np.bincount(other, values.numbers[complement], minlength=count)
    n, complement_n = np.where(both[:-1], n, 0), np.where(both[:-1], complement_n, 0)
    has_rows = complement_n > 0
    # A row of the complement weighs as much as makes the strata mixed as in the group.
    weight = np.divide(n, complement_n * len(members), out=np.zeros(count), where=has_rows)
    # In a stratum of few rows their own mean takes up some of their variance.
    factor = np.sqrt(complement_n / np.maximum(complement_n - 1, 1))
    return _Strata(
        Sides(members, complement, own, other, weight),
        complement_mean=np.divide(total, complement_n, out=np.zeros(count), where=has_rows),
        spread_factor=factor,
    )


def _standardize(values: Values, compared: _Strata) -> tuple[Estimate, Estimate]:
    """Estimate the means of the group and of the complement mixed as the group is."""
    sides, complement_mean = compared.sides, compared.complement_mean
    n = len(sides.members)
    numbers = values.numbers[sides.members]
    mean = float(numbers.mean())
    expected = complement_mean[sides.member_strata]
    standard = float(expected.mean())
    spread = values.sum_by_cluster(sides.members, (numbers - mean) / n)
    residual = values.numbers[sides.complement] - complement_mean[sides.complement_strata]
    scale = (sides.weight * compared.spread_factor)[sides.complement_strata]
    other_spread = values.sum_by_cluster(sides.complement, scale * residual)
    other_spread += values.sum_by_cluster(sides.members, (expected - standard) / n)
    rows = np.bincount(sides.complement_strata, minlength=len(sides.weight)).astype(np.float64)
    kish = 1.0 / float((sides.weight**2 * rows).sum())
    return (
        estimate_from_spread(
            mean, spread, n=n, most=float(n),
            clusters=values.count_clusters(sides.members), rate=values.rate,
        ),
        estimate_from_spread(
            standard, other_spread, n=len(sides.complement), most=kish,
            clusters=values.count_clusters(sides.complement), rate=values.rate,
        ),
    )  # fmt: skip
