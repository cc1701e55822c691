"""Means, how far they may be off where samples come in clusters, and differences of means.

A cluster is what samples have in common that makes their errors alike: the image that several
object crops are cut from. Samples that share none are independent.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.statistics.intervals import Z, subtract_intervals, wilson_interval

Interval = tuple[float, float]
NAN = float("nan")
_ROUNDING = 1e-9  # of a mean: equal numbers may seem to differ by so much


@dataclass(frozen=True)
class Values:
    """One number of each of n rows, and the cluster that each row belongs to."""

    numbers: Floats  # (n,)
    clusters: Ints | None  # (n,) from 0; None where all rows are independent
    cluster_count: int
    rate: bool  # whether all numbers are 0 or 1

    def count_clusters(self, rows: Ints) -> int:
        """Count the clusters of some rows; independent rows are a cluster each."""
        if self.clusters is None:
            return len(rows)
        seen = np.zeros(self.cluster_count, np.bool_)
        seen[self.clusters[rows]] = True
        return int(seen.sum())

    def sum_by_cluster(self, rows: Ints, weights: Floats) -> Floats:
        """Return (clusters,) sums of the weights of some rows."""
        if self.clusters is None:
            return sum_weights(rows, weights, len(self.numbers))
        return sum_weights(self.clusters[rows], weights, self.cluster_count)


@dataclass(frozen=True)
class Estimate:
    """A mean, or another number between 0 and 1, with what its interval needs."""

    value: float  # NaN without rows
    n: int
    size: float  # effective sample size: independent rows that would be as certain of a rate
    clusters: int  # or rows, where they are independent
    variance: float
    rate: bool
    spread: Floats | None = None  # (clusters,) influence of each on the value; None: independent

    @property
    def interval(self) -> Interval:
        """The 95 % interval: Wilson's for rates, else Student's t.

        NaN below two clusters, unless it is a rate of independent rows. NaN too for numbers that
        are no rate and all equal: their variance cannot be estimated.
        """
        if self.n == 0 or (self.clusters < 2 and (self.spread is not None or not self.rate)):
            return NAN, NAN
        if self.rate:
            reach = Z if self.spread is None else float(special.stdtrit(self.clusters - 1, 0.975))
            low, high = wilson_interval(
                np.array([self.value * self.size]), np.array([self.size]), z=reach
            )
            return float(low[0]), float(high[0])
        deviation = self.variance**0.5
        if deviation <= _ROUNDING * abs(self.value):
            return NAN, NAN
        half = float(special.stdtrit(self.clusters - 1, 0.975)) * deviation
        return max(self.value - half, 0.0), self.value + half


NOTHING = Estimate(NAN, 0, 0.0, 0, NAN, rate=True)


def number_clusters(numbers: Floats, cluster_ids: pl.Series | None) -> Values:
    """Return numbers with their clusters, numbered in sorted order of (n,) cluster_ids.

    Rows are independent without cluster_ids, and where no two rows share one.
    """
    rate = bool(np.isin(numbers, (0.0, 1.0)).all())
    if cluster_ids is None or cluster_ids.n_unique() == len(numbers):
        return Values(numbers, None, len(numbers), rate)
    clusters = cluster_ids.rank("dense").cast(pl.Int64).to_numpy() - 1
    return Values(numbers, clusters, int(clusters.max(initial=-1)) + 1, rate)


def sum_weights(codes: Ints, weights: Floats, count: int) -> Floats:
    """Return (count,) sums of the weights of each code."""
    sums: NDArray[Any] = np.bincount(codes, weights, minlength=count)
    return sums.astype(np.float64, copy=False)


def estimate_mean(values: Values, rows: Ints) -> Estimate:
    """Estimate the mean of some rows; rows of a cluster add what they are uncertain together."""
    n = len(rows)
    if n == 0:
        return NOTHING
    numbers = values.numbers[rows]
    mean = float(numbers.mean())
    if values.clusters is None:
        variance = float(((numbers - mean) ** 2).sum()) / max(n - 1, 1) / n
        return Estimate(mean, n, float(n), n, variance, values.rate)
    spread = values.sum_by_cluster(rows, (numbers - mean) / n)
    return estimate_from_spread(
        mean, spread, n=n, most=float(n), clusters=values.count_clusters(rows), rate=values.rate
    )


def estimate_from_spread(
    value: float,
    spread: Floats,
    *,
    n: int,
    most: float,
    clusters: int,
    rate: bool,
    more_variance: float = 0.0,
) -> Estimate:
    """Make an estimate of a value and the (clusters,) influence of each cluster on it.

    The variance is the sum of squared influences (Liang and Zeger, Biometrika 73, 1986). For a rate
    it gives the effective sample size (Korn and Graubard, Survey Methodology 24, 1998), at most
    `most`; where no row differs from another that is the number of clusters. more_variance: from
    other sources than the clusters.
    """
    variance = float((spread**2).sum()) * clusters / max(clusters - 1, 1) + more_variance
    plain = value * (1 - value)
    size = min(most, plain / variance) if variance > 0 and plain > 0 else float(min(clusters, most))
    return Estimate(value, n, size, clusters, variance, rate, spread)


def subtract(one: Estimate, other: Estimate) -> tuple[float, Interval]:
    """Return `one - other` and its 95 % interval, from their intervals and shared clusters."""
    low, high = subtract_intervals(
        np.array([one.value]), _as_ends(one.interval),
        np.array([other.value]), _as_ends(other.interval),
        correlation=_correlate(one.spread, other.spread),
    )  # fmt: skip
    return one.value - other.value, (float(low[0]), float(high[0]))


def _as_ends(interval: Interval) -> tuple[Floats, Floats]:
    return np.array([interval[0]]), np.array([interval[1]])


def _correlate(one: Floats | None, other: Floats | None) -> float:
    """Correlate two values by the clusters that have an influence on both."""
    if one is None or other is None:
        return 0.0
    # No dot products: their sums depend on the number of threads.
    both = float((one * one).sum() * (other * other).sum()) ** 0.5
    return float(np.clip((one * other).sum() / both, -1.0, 1.0)) if both > 0 else 0.0
