"""A group of images against the others: weighted differences of means, their effect sizes."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints, Mask

LEAST_SPREAD = 1e-5  # of cosines, whose vectors have single precision
_NEAR_ONE = 0.9999  # of a correlation
_LEAST_SHARE = 0.5  # of a group that must share strata with the others; else nothing is adjusted


@dataclass(frozen=True)
class Contrast:
    """Two sides of a comparison of n rows, with the weights that make it a difference of means.

    rows: (n,) into the samples. inside: (n,) whether a row is of the group. weights: (n,) sum to 1
    over the group and to -1 over the others. strata: (n,) from 0; all 0 where nothing is adjusted.
    clusters: (n,) from 0. compared_share: of the group that is among the rows.
    """

    rows: Ints
    inside: Mask
    weights: Floats
    strata: Ints
    clusters: Ints
    compared_share: float

    def count_clusters(self) -> tuple[int, int]:
        """Return how many clusters the group and the others have."""
        inside = np.unique(self.clusters[self.inside])
        return len(inside), len(np.unique(self.clusters[~self.inside]))


@dataclass(frozen=True)
class Effects:
    """Effect sizes of p pairs, (p,) each; low and high: 95 % intervals. NaN without variance."""

    d: Floats
    low: Floats
    high: Floats


def make_contrast(inside: Mask, outside: Mask, clusters: Ints) -> Contrast:
    """Compare the rows of two groups as they are.

    inside, outside: (m,) over all samples; a sample in neither is left out. clusters: (m,) what
    samples have in common that makes them alike: the person, else the image. Raises ValueError
    where a side is empty.
    """
    return _weigh(inside, outside, clusters, np.zeros(len(inside), np.int64), share=1.0)


def standardize_contrast(
    inside: Mask, outside: Mask, clusters: Ints, strata: Ints
) -> Contrast | None:
    """Compare the group with the others mixed over strata as the group is.

    strata: (m,) a number for each combination of covariates, -1 where one is unknown. As in
    `compare_within_strata` of the groups of an audit: direct standardization (Rothman, Greenland
    and Lash, Modern Epidemiology, 2008, chapter 15) over strata in which the others have two rows
    or more. None where that leaves less than half of the group.
    """
    count = int(strata.max(initial=-1)) + 1
    known = strata >= 0
    own = np.bincount(strata[inside & known], minlength=count)
    other = np.bincount(strata[outside & known], minlength=count)
    both = np.append((own > 0) & (other > 1), False)  # -1 reads the last
    kept = both[strata]
    share = float((inside & kept).sum() / max(inside.sum(), 1))
    if not share >= _LEAST_SHARE:
        return None
    return _weigh(inside & kept, outside & kept, clusters, strata, share=share)


def _weigh(inside: Mask, outside: Mask, clusters: Ints, strata: Ints, *, share: float) -> Contrast:
    if not inside.any() or not outside.any():
        raise ValueError("a contrast needs rows on both sides")
    rows = np.flatnonzero(inside | outside)
    side, stratum = inside[rows], strata[rows]
    own = np.bincount(stratum[side], minlength=int(stratum.max()) + 1)
    other = np.bincount(stratum[~side], minlength=len(own))
    weights = np.where(
        side, 1 / side.sum(), -own[stratum] / (np.maximum(other[stratum], 1) * side.sum())
    )
    _, numbers = np.unique(clusters[rows], return_inverse=True)
    return Contrast(rows, side, weights, stratum, numbers.astype(np.int64), share)


def spread_of(margins: Floats) -> Floats:
    """Return (p,) the standard deviation of each column over all rows, with n - 1.

    NaN where it is no more than rounding: the encoder gives both words of the pair one vector.
    """
    deviation: Floats = margins.std(axis=0, ddof=1)
    return np.where(deviation > LEAST_SPREAD, deviation, np.nan)


def measure_effects(margins: Floats, contrast: Contrast) -> Effects:
    """Measure how far the margins of the group lie from those of the others.

    margins: (n, p) of the rows of the contrast: closeness to the first word minus that to the
    second. d is the difference of the means over the standard deviation of all rows (Caliskan,
    Bryson and Narayanan, Science 356, 2017; between -2 and 2 for groups of equal size). The
    interval sums the influence of each row, on the difference and on the deviation, by cluster
    (Liang and Zeger, Biometrika 73, 1986), scaled as if each cluster were left out in turn (the
    jackknife: MacKinnon and White, Journal of Econometrics 29, 1985), with Student's t at the
    degrees of freedom of Satterthwaite over the two sides, each with its effective number of
    clusters (Kish). It is made on Fisher's z: d times the root of the product of the two sides'
    shares is the correlation of margins and group.
    """
    n = len(margins)
    difference = contrast.weights @ margins  # (p,)
    spread = spread_of(margins)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = difference / spread
        squared = (margins - margins.mean(axis=0)) ** 2
        for side in (contrast.inside, ~contrast.inside):
            squared[side] -= squared[side].mean(axis=0)
        influence = contrast.weights[:, None] * _center(margins, contrast, difference)
        influence = influence / spread - d / (2 * spread**2) * squared / n
    variances, freedoms = [], []
    for side in (contrast.inside, ~contrast.inside):
        count = np.bincount(contrast.clusters[side])
        some = int((count > 0).sum())
        left = 1 - count[contrast.clusters[side]] / side.sum()  # without the row's cluster
        scale = (max(some - 1, 1) / some) ** 0.5 / np.maximum(left, 1 / some)
        influence[side] *= scale[:, None]
        own = _sum_clusters(influence[side], contrast.clusters[side])
        variances.append((own**2).sum(axis=0))
        freedoms.append(max(side.sum() ** 2 / (count**2).sum() - 1, 1.0))
    total = (_sum_clusters(influence, contrast.clusters) ** 2).sum(axis=0)
    parts = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.maximum((variances[0] + variances[1]) ** 2 / parts, 1.0)
    unit = float((contrast.inside.mean() * (1 - contrast.inside.mean())) ** 0.5)
    r = np.clip(d * unit, -_NEAR_ONE, _NEAR_ONE)
    half = special.stdtrit(freedom, 0.975) * np.sqrt(total) * unit / (1 - r**2)
    ends = [np.tanh(np.arctanh(r) + sign * half) / unit for sign in (-1, 1)]
    return Effects(d, ends[0], ends[1])


def _center(margins: Floats, contrast: Contrast, difference: Floats) -> Floats:
    """Subtract from each row what is expected of it; the others' few rows of a stratum count."""
    outside = ~contrast.inside
    count = np.bincount(contrast.strata[outside], minlength=int(contrast.strata.max()) + 1)
    means = np.zeros((len(count), margins.shape[1]))
    np.add.at(means, contrast.strata[outside], margins[outside])
    means /= np.maximum(count, 1)[:, None]
    centered: Floats = margins - means[contrast.strata]
    centered[contrast.inside] -= difference
    if len(count) > 1:
        factor = np.sqrt(count / np.maximum(count - 1, 1))
        centered[outside] *= factor[contrast.strata[outside], None]
    return centered


def _sum_clusters(influence: Floats, clusters: Ints) -> Floats:
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, influence.shape[1]))
    np.add.at(sums, clusters, influence)
    return sums
