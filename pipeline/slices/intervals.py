"""Confidence intervals for the error of a slice minus that of its complement."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.slices.losses import Losses
from pipeline.slices.significance import mean_and_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_DRAWS = 2000
_MOST_GROUPS = 20_000  # beyond, the bootstrap's normal limit is as good and far cheaper
_Z = float(special.ndtri(0.975))
Interval = tuple[float, float]
UNKNOWN: Interval = (float("nan"), float("nan"))


def compute_interval(
    losses: Losses, inside: NDArray[np.bool_], *, groups: Ints | None, seed: int
) -> Interval:
    """Return the 95 % interval of mean(inside) - mean(outside).

    Newcombe's for two-valued errors, Welch's for others, a bootstrap over groups with groups;
    Kish's effective size with weights. (nan, nan) where one side has too few rows to say.
    """
    if inside.all() or not inside.any():
        return UNKNOWN
    if groups is not None:
        return bootstrap_interval(losses, inside, groups, seed=seed)
    if losses.binary and losses.weights is None and losses.high > losses.low:
        bits = losses.bits()
        low, high = newcombe_interval(
            int(bits[inside].sum()),
            int(inside.sum()),
            int(bits[~inside].sum()),
            int((~inside).sum()),
        )
        scale = losses.high - losses.low
        return low * scale, high * scale
    return welch_interval(losses, inside)


def wilson_interval(count: int, n: int) -> Interval:
    """Wilson's score interval of a rate (JASA 22, 1927)."""
    rate = count / n
    middle = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def newcombe_interval(count: int, n: int, rest_count: int, rest_n: int) -> Interval:
    """Newcombe's hybrid score interval of a difference of rates.

    Source: Newcombe, Statistics in Medicine 17, 1998, method 10.
    """
    low, high = wilson_interval(count, n)
    rest_low, rest_high = wilson_interval(rest_count, rest_n)
    rate, rest_rate = count / n, rest_count / rest_n
    difference = rate - rest_rate
    return (
        float(difference - np.hypot(rate - low, rest_high - rest_rate)),
        float(difference + np.hypot(high - rate, rest_rate - rest_low)),
    )


def welch_interval(losses: Losses, inside: NDArray[np.bool_]) -> Interval:
    """Welch's t interval of a difference of means."""
    means, errors, freedoms = [], [], []
    for rows in (inside, ~inside):
        sums = losses.take(rows).add_up()
        mean, variance = mean_and_variance(sums)
        n = float(sums.weight[0] ** 2 / sums.weight2[0])
        means.append(float(mean[0]))
        errors.append(float(variance[0]) / n)
        freedoms.append(n - 1.0)
    total = errors[0] + errors[1]
    if not np.isfinite(total):
        return UNKNOWN
    difference = means[0] - means[1]
    if total == 0:
        return difference, difference
    freedom = total**2 / sum(e * e / f for e, f in zip(errors, freedoms, strict=True))
    half = float(special.stdtrit(freedom, 0.975)) * np.sqrt(total)
    return float(difference - half), float(difference + half)


def bootstrap_interval(
    losses: Losses, inside: NDArray[np.bool_], groups: Ints, *, seed: int
) -> Interval:
    """Expanded percentile interval over resampled groups; beyond 20,000 groups its normal limit.

    The percentiles are moved outward as t stands to the normal: with few groups they would be too
    close together. Source: Hesterberg, The American Statistician 69, 2015, section 3.3.
    """
    _, number = np.unique(groups, return_inverse=True)
    weights = np.ones(len(losses.errors)) if losses.weights is None else losses.weights
    parts = [weights * losses.errors * inside, weights * inside]
    parts += [weights * losses.errors * ~inside, weights * ~inside]
    sums = np.stack([np.bincount(number, weights=part) for part in parts], axis=1)  # (groups, 4)
    count = len(sums)
    total = sums.sum(axis=0)
    difference = total[0] / total[1] - total[2] / total[3]
    if count > _MOST_GROUPS:
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
        return UNKNOWN
    few = min(int((sums[:, 1] > 0).sum()), int((sums[:, 3] > 0).sum()))
    if few < 2:
        return UNKNOWN
    reach = np.sqrt(few / (few - 1)) * special.stdtrit(few - 1, 0.975)
    tail = float(special.ndtr(-reach))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
