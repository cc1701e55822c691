"""Means of groups, how far they may be off when rows share images, and differences of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.statistics.intervals import Z, subtract_intervals, wilson_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Interval = tuple[float, float]
NAN = float("nan")
_ROUNDING = 1e-9  # of a mean: equal numbers may seem to differ by so much


@dataclass(frozen=True)
class Values:
    """One number of each of n rows, and which rows share an image."""

    numbers: Floats  # (n,)
    images: Ints | None  # (n,) from 0; None where every row stands alone
    image_count: int
    rate: bool  # whether all numbers are 0 or 1

    def count_images(self, rows: Ints) -> int:
        """Count the images (or single rows) of some rows."""
        if self.images is None:
            return len(rows)
        seen = np.zeros(self.image_count, np.bool_)
        seen[self.images[rows]] = True
        return int(seen.sum())

    def add_up(self, rows: Ints, influence: Floats) -> Floats:
        """Return (images,) sums of an influence of some rows."""
        if self.images is None:
            return add_weights(rows, influence, len(self.numbers))
        return add_weights(self.images[rows], influence, self.image_count)


@dataclass(frozen=True)
class Estimate:
    """A mean, or another number between 0 and 1, with what its interval needs."""

    value: float  # NaN without rows
    n: int
    size: float  # rows that would say as much about a rate if each stood alone
    images: int  # or rows, where each stands alone
    variance: float
    rate: bool
    spread: Floats | None = None  # (images,) influence of each on the value; None: independent

    @property
    def interval(self) -> Interval:
        """The 95 % interval: Wilson's for rates, else t's; NaN where too few images can tell.

        Numbers that are no rates tell nothing of their spread where all of them are equal.
        """
        if self.n == 0 or (self.images < 2 and (self.spread is not None or not self.rate)):
            return NAN, NAN
        if self.rate:
            reach = Z if self.spread is None else float(special.stdtrit(self.images - 1, 0.975))
            low, high = wilson_interval(
                np.array([self.value * self.size]), np.array([self.size]), z=reach
            )
            return float(low[0]), float(high[0])
        deviation = self.variance**0.5
        if deviation <= _ROUNDING * abs(self.value):
            return NAN, NAN
        half = float(special.stdtrit(self.images - 1, 0.975)) * deviation
        return max(self.value - half, 0.0), self.value + half


NOTHING = Estimate(NAN, 0, 0.0, 0, NAN, rate=True)


def add_weights(at: Ints, weights: Floats, size: int) -> Floats:
    """Return (size,) sums of the weights at each place."""
    sums: NDArray[Any] = np.bincount(at, weights, minlength=size)
    return sums.astype(np.float64, copy=False)


def estimate_mean(values: Values, rows: Ints) -> Estimate:
    """Estimate the mean of some rows; rows of one image count as often as they differ."""
    n = len(rows)
    if n == 0:
        return NOTHING
    numbers = values.numbers[rows]
    mean = float(numbers.mean())
    if values.images is None:
        variance = float(((numbers - mean) ** 2).sum()) / max(n - 1, 1) / n
        return Estimate(mean, n, float(n), n, variance, values.rate)
    spread = values.add_up(rows, (numbers - mean) / n)
    return weigh_spread(
        mean, spread, n=n, most=float(n), images=values.count_images(rows), rate=values.rate
    )


def weigh_spread(
    value: float,
    spread: Floats,
    *,
    n: int,
    most: float,
    images: int,
    rate: bool,
    more_variance: float = 0.0,
) -> Estimate:
    """Make an estimate of a value and the influence of each image on it.

    The variance is the sum of squared influences (Liang and Zeger, Biometrika 73, 1986). For a rate
    it says how many independent rows would be as uncertain (Korn and Graubard, Survey Methodology
    24, 1998), at most `most`; where no row differs from another the images count. more_variance:
    from what is not a matter of images.
    """
    variance = float((spread**2).sum()) * images / max(images - 1, 1) + more_variance
    plain = value * (1 - value)
    size = min(most, plain / variance) if variance > 0 and plain > 0 else float(min(images, most))
    return Estimate(value, n, size, images, variance, rate, spread)


def subtract(one: Estimate, other: Estimate) -> tuple[float, Interval]:
    """Return `one - other` and its 95 % interval, from their intervals and what they share."""
    low, high = subtract_intervals(
        np.array([one.value]), _as_ends(one.interval),
        np.array([other.value]), _as_ends(other.interval),
        correlation=_correlate(one.spread, other.spread),
    )  # fmt: skip
    return one.value - other.value, (float(low[0]), float(high[0]))


def _as_ends(interval: Interval) -> tuple[Floats, Floats]:
    return np.array([interval[0]]), np.array([interval[1]])


def _correlate(one: Floats | None, other: Floats | None) -> float:
    """Correlate two values by the images that have an influence on both."""
    if one is None or other is None:
        return 0.0
    # No dot products: their sums depend on the number of threads.
    both = float((one * one).sum() * (other * other).sum()) ** 0.5
    return float(np.clip((one * other).sum() / both, -1.0, 1.0)) if both > 0 else 0.0
