"""The error inside a slice and its gap to all other rows in two audits, with their covariance.

Each mean is linear in its rows up to second order, so its variance, and its covariance with the
same mean of another audit, are sums over images of the influence of each (Liang and Zeger,
Biometrika 73, 1986). Images that both audits have enter both means: where all are shared that is
the paired comparison, where none is it is that of independent samples, and anything between.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints, Mask


@dataclass(frozen=True)
class Side:
    """The rows of one audit: errors (n,), clusters (n,) numbered from 0 over both audits."""

    errors: Floats
    clusters: Ints

    @property
    def binary(self) -> bool:
        """Whether all errors are 0 or 1."""
        return bool(np.isin(self.errors, (0.0, 1.0)).all())


@dataclass(frozen=True)
class Moments:
    """A number before and after: two estimates, their variances and their covariance."""

    before: float
    after: float
    variance_before: float
    variance_after: float
    covariance: float

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def variance(self) -> float:
        """Of the change."""
        return max(self.variance_before + self.variance_after - 2 * self.covariance, 0.0)


@dataclass(frozen=True)
class SliceMoments:
    """One slice in both audits: the error inside, its gap to the rest, and how many rows it has.

    clusters: images inside, of the audit that has fewer.
    """

    error: Moments
    gap: Moments
    n_before: int
    n_after: int
    clusters: int


@dataclass(frozen=True)
class _Mean:
    """A mean: its influence (clusters,) of each image, and variance that these do not show."""

    value: float
    influence: Floats
    hidden: float


def measure_slice(
    before: Side, after: Side, inside_before: Mask, inside_after: Mask, *, clusters: int
) -> SliceMoments | None:
    """Return the moments of a slice, None where one audit has no row inside or none outside.

    inside_before, inside_after: (n,) of the rows of each audit. clusters: how many there are.
    """
    sides = ((before, inside_before), (after, inside_after))
    if any(not inside.any() or inside.all() for _, inside in sides):
        return None
    means = [_estimate_mean(side, inside, clusters) for side, inside in sides]
    gaps = [
        _subtract(mean, _estimate_mean(side, ~inside, clusters))
        for mean, (side, inside) in zip(means, sides, strict=True)
    ]
    counts = [len(np.unique(side.clusters[inside])) for side, inside in sides]
    return SliceMoments(
        error=_combine(*means),
        gap=_combine(*gaps),
        n_before=int(inside_before.sum()),
        n_after=int(inside_after.sum()),
        clusters=min(counts),
    )


def measure_all(before: Side, after: Side, *, clusters: int) -> Moments:
    """Return the moments of the mean error of all rows."""
    means = (
        _estimate_mean(side, np.ones(len(side.errors), np.bool_), clusters)
        for side in (before, after)
    )
    return _combine(*means)


def _estimate_mean(side: Side, rows: Mask, clusters: int) -> _Mean:
    """Return a mean with the influence of each image.

    The variance of 0/1 errors is at least that of Agresti and Coull's adjusted rate (American
    Statistician 52, 1998): twenty successes in a row do not make a rate certain.
    """
    errors, own = side.errors[rows], side.clusters[rows]
    n, value = len(errors), float(errors.mean())
    influence = np.bincount(own, weights=errors - value, minlength=clusters) / n
    images = len(np.unique(own))
    influence *= np.sqrt(images / max(images - 1, 1))
    hidden = 0.0
    if side.binary:
        rate = (errors.sum() + 2.0) / (n + 4.0)
        hidden = max(rate * (1 - rate) / (n + 4.0) - float(influence @ influence), 0.0)
    return _Mean(value, influence, hidden)


def _subtract(mean: _Mean, other: _Mean) -> _Mean:
    return _Mean(
        mean.value - other.value, mean.influence - other.influence, mean.hidden + other.hidden
    )


def _combine(before: _Mean, after: _Mean) -> Moments:
    return Moments(
        before=before.value,
        after=after.value,
        variance_before=float(before.influence @ before.influence) + before.hidden,
        variance_after=float(after.influence @ after.influence) + after.hidden,
        covariance=float(before.influence @ after.influence),
    )
