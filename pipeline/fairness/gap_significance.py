"""Do the means of a group and its complement differ by more than chance? Two-sided p-values."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.fairness.groups import Group
from pipeline.statistics.estimates import NAN, Estimate, Values, sum_weights
from pipeline.statistics.p_values import fisher

_FEW = 10  # below this many in any of the four counts, rates get the exact test


@dataclass(frozen=True)
class Sides:
    """Two sets of rows in strata; a complement's rows weigh so that strata are mixed alike."""

    members: Ints  # rows
    complement: Ints
    member_strata: Ints  # of each of the members, from 0
    complement_strata: Ints
    weight: Floats  # (s,) of each row of the complement in a stratum; sums to 1 over the rows

    @classmethod
    def of_one_stratum(cls, members: Ints, complement: Ints) -> "Sides":
        """Return two sets of rows that are compared as they are."""
        return cls(
            members,
            complement,
            member_strata=np.zeros(len(members), np.int64),
            complement_strata=np.zeros(len(complement), np.int64),
            weight=np.array([1.0 / max(len(complement), 1)]),
        )


def compare_means(values: Values, group: Group, pair: tuple[Estimate, Estimate]) -> float:
    """Return p of the difference between a group's mean and its complement's; NaN without a test.

    pair: the two means. Rates of independent rows: Fisher's exact test where a count is small.
    Else, and where rows come in clusters, `compute_score_p`; of other independent numbers the
    larger of that and Welch's t (Biometrika 34, 1947), which takes a skewed group without its few
    large numbers for better.
    """
    members, complement = group.members, group.complement
    if values.clusters is None and values.rate:
        high = [int(values.numbers[rows].sum()) for rows in (members, complement)]
        low = [len(members) - high[0], len(complement) - high[1]]
        if min(*high, *low) < _FEW and len(members) and len(complement):
            return _fisher(high[0], len(members), sum(high), len(members) + len(complement))
    p = compute_score_p(values, Sides.of_one_stratum(members, complement))
    one, other = pair
    if values.clusters is None and not values.rate and one.variance > 0 and other.variance > 0:
        return max(p, _welch(one, other))
    return p


def compute_score_p(values: Values, sides: Sides) -> float:
    """Return p of mean(members) - sum(weight x complement), whose strata are alike under the null.

    All rows are taken about their stratum's common mean and summed by cluster (the score form of
    the cluster-robust test: Liang and Zeger, Biometrika 73, 1986). The variance is no smaller than
    if the rows of a stratum had been dealt out by chance, those of one cluster as alike as all rows
    show: the variance of a group of few errors is underestimated. For rates of independent rows it
    is that (Mantel and Haenszel, JNCI 22, 1959). NaN below two clusters in one of the two sets.
    """
    members, complement = sides.members, sides.complement
    few = min(values.count_clusters(members), values.count_clusters(complement))
    if few < 2:
        return NAN
    rows = np.concatenate([members, complement])
    strata = np.concatenate([sides.member_strata, sides.complement_strata])
    count = len(sides.weight)
    n = np.bincount(strata, minlength=count)
    center = sum_weights(strata, values.numbers[rows], count) / np.maximum(n, 1)
    residual = values.numbers[rows] - center[strata]
    share = np.full(len(members), 1.0 / len(members))
    part = np.concatenate([share, -sides.weight[sides.complement_strata]])
    dealt = sum_weights(strata, residual**2, count) / np.maximum(n - 1, 1)
    spread = values.sum_by_cluster(rows, part * residual)
    variance = _deal_out(values, rows, part * np.sqrt(dealt[strata]), residual, dealt[strata])
    if values.clusters is not None or not values.rate:
        clusters = values.count_clusters(rows)
        variance = max(variance, float((spread**2).sum()) * clusters / (clusters - 1))
    if variance <= 0:
        return 1.0
    t = abs(float(spread.sum())) / variance**0.5
    return min(2 * float(special.stdtr(few - 1, -t)), 1.0)


def _deal_out(values: Values, rows: Ints, part: Floats, residual: Floats, dealt: Floats) -> float:
    """Return the variance of sum(part x residual) if chance dealt out residuals among the rows.

    part: (n,) times the standard deviation in the row's stratum, whose square is dealt. Two rows of
    one cluster are as alike as the moment estimator of the intraclass correlation says, at least 0.
    """
    independent = float((part**2).sum())
    if values.clusters is None:
        return independent
    scaled = residual / np.sqrt(np.where(dealt > 0, dealt, 1.0))
    together = values.sum_by_cluster(rows, scaled)
    sizes = values.sum_by_cluster(rows, np.ones(len(rows)))
    pairs = float((sizes**2).sum()) - len(rows)
    seen = float((together**2).sum() - (scaled**2).sum())
    correlation = min(max(seen / pairs, 0.0), 1.0) if pairs > 0 else 0.0
    by_cluster = float((values.sum_by_cluster(rows, part) ** 2).sum())
    return (1 - correlation) * independent + correlation * by_cluster


def _fisher(high: int, n: int, all_high: int, all_n: int) -> float:
    """Double the smaller tail of Fisher's exact test."""
    more = fisher(np.array([high]), np.array([n]), all_high, all_n)
    fewer = fisher(np.array([high]), np.array([n]), all_high, all_n, direction="better")
    return min(2 * float(min(more[0], fewer[0])), 1.0)


def _welch(one: Estimate, other: Estimate) -> float:
    """Welch's t test with Satterthwaite's degrees of freedom."""
    a, b = one.variance, other.variance
    freedom = (a + b) ** 2 / (a * a / (one.clusters - 1) + b * b / (other.clusters - 1))
    return 2 * float(special.stdtr(freedom, -abs(one.value - other.value) / (a + b) ** 0.5))
