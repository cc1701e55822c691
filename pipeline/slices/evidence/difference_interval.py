"""Confidence intervals for the error of a slice minus that of its complement."""

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.evidence.significance import effective_size, mean_and_variance, subtract_sums
from pipeline.statistics.intervals import newcombe_interval

_DRAWS = 2000
_MOST_CLUSTERS = 20_000  # beyond, the bootstrap's normal limit is as good and far cheaper
_Z = float(special.ndtri(0.975))
Interval = tuple[float, float]
NO_INTERVAL: Interval = (float("nan"), float("nan"))


def compute_interval(
    losses: Losses, inside: Mask, *, cluster_ids: Ints | None, seed: int
) -> Interval:
    """Return the 95 % interval of mean(inside) - mean(complement).

    As `interval_slices` gives it; with clusters by a bootstrap over them, or Newcombe's of as many
    rows as there are clusters where all two-valued errors of a side are equal: what has no spread
    has none when it is drawn again. (nan, nan) where one side has too few rows to say.
    """
    if inside.all() or not inside.any():
        return NO_INTERVAL
    if cluster_ids is not None:
        if losses.binary and losses.weights is None and _has_equal_side(losses.errors, inside):
            return _newcombe_of_clusters(losses, inside, cluster_ids)
        return bootstrap_interval(losses, inside, cluster_ids, seed=seed)
    part = losses.take(np.flatnonzero(inside)).add_up()
    low, high = interval_slices(losses.add_up(), part, losses)
    return float(low[0]), float(high[0])


def _has_equal_side(errors: Floats, inside: Mask) -> bool:
    return any(len(np.unique(errors[side])) == 1 for side in (inside, ~inside))


def _newcombe_of_clusters(losses: Losses, inside: Mask, cluster_ids: Ints) -> Interval:
    """Newcombe's interval of the rates as if each side had one row a cluster."""
    scale = losses.high - losses.low
    if scale <= 0:
        return NO_INTERVAL
    rates = [
        np.array([losses.errors[side].mean() - losses.low]) / scale for side in (inside, ~inside)
    ]
    sizes = [np.array([float(len(np.unique(cluster_ids[side])))]) for side in (inside, ~inside)]
    low, high = newcombe_interval(rates[0] * sizes[0], sizes[0], rates[1] * sizes[1], sizes[1])
    return float(low[0]) * scale, float(high[0]) * scale


def interval_slices(total: Sums, part: Sums, losses: Losses) -> tuple[Floats, Floats]:
    """Return the 95 % intervals of slices' differences from their complements, from sums.

    Newcombe's for two-valued errors without weights, else Welch's, with Kish's effective size.
    (k,) lower and (k,) upper ends, NaN where one side has too few rows to say.
    """
    if losses.binary and losses.weights is None and losses.high > losses.low:
        scale = losses.high - losses.low
        complement = subtract_sums(total, part)
        count = np.rint((part.total - losses.low * part.n) / scale)
        complement_count = np.rint((complement.total - losses.low * complement.n) / scale)
        low, high = newcombe_interval(count, part.n, complement_count, complement.n)
        return low * scale, high * scale
    return welch_interval(total, part)


def welch_interval(total: Sums, part: Sums) -> tuple[Floats, Floats]:
    """Welch's t intervals of differences of means."""
    complement = subtract_sums(total, part)
    (mean, variance), (complement_mean, complement_variance) = (
        mean_and_variance(part),
        mean_and_variance(complement),
    )
    n, complement_n = effective_size(part), effective_size(complement)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = variance / n, complement_variance / complement_n
        freedom = (a + b) ** 2 / (a * a / (n - 1.0) + b * b / (complement_n - 1.0))
        half = np.where(a + b > 0, special.stdtrit(freedom, 0.975) * np.sqrt(a + b), a + b)
    return mean - complement_mean - half, mean - complement_mean + half


def bootstrap_interval(losses: Losses, inside: Mask, cluster_ids: Ints, *, seed: int) -> Interval:
    """Expanded percentile interval over resampled clusters; beyond 20,000 its normal limit.

    The percentiles are moved outward by the ratio of t to normal quantiles: with few clusters they
    would be too close together. Source: Hesterberg, The American Statistician 69, 2015, section
    3.3.
    """
    _, number = np.unique(cluster_ids, return_inverse=True)
    weights = np.ones(len(losses.errors)) if losses.weights is None else losses.weights
    parts = [weights * losses.errors * inside, weights * inside]
    parts += [weights * losses.errors * ~inside, weights * ~inside]
    sums = np.stack([np.bincount(number, weights=part) for part in parts], axis=1)  # (clusters, 4)
    count = len(sums)
    total = sums.sum(axis=0)
    difference = total[0] / total[1] - total[2] / total[3]
    if count > _MOST_CLUSTERS:
        psi = (sums[:, 0] - total[0] / total[1] * sums[:, 1]) / total[1]
        psi -= (sums[:, 2] - total[2] / total[3] * sums[:, 3]) / total[3]
        half = _Z * np.sqrt((psi**2).sum() * count / (count - 1))
        return float(difference - half), float(difference + half)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(_DRAWS):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count) @ sums
        if drawn[1] > 0 and drawn[3] > 0:
            draws.append(drawn[0] / drawn[1] - drawn[2] / drawn[3])
    if len(draws) < _DRAWS // 2:
        return NO_INTERVAL
    few = min(int((sums[:, 1] > 0).sum()), int((sums[:, 3] > 0).sum()))
    if few < 2:
        return NO_INTERVAL
    reach = np.sqrt(few / (few - 1)) * special.stdtrit(few - 1, 0.975)
    tail = float(special.ndtr(-reach))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
