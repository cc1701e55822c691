"""Is a slice's error larger than its complement's? One-sided p-values."""

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.evidence.root_deviance import root_deviance
from pipeline.slices.options import Direction
from pipeline.statistics.p_values import fisher

_FEW = 10  # below this many in any of the four counts, two-valued errors get the exact test


def subtract_sums(total: Sums, part: Sums) -> Sums:
    """Return the sums of all rows that are not in each slice; `largest` is only an upper bound."""
    return Sums(
        n=total.n - part.n,
        weight=np.maximum(total.weight - part.weight, 0.0) * (part.n < total.n),
        weight2=np.maximum(total.weight2 - part.weight2, 0.0),
        total=np.maximum(total.total - part.total, 0.0),
        total2=np.maximum(total.total2 - part.total2, 0.0),
        largest=np.broadcast_to(total.largest, part.largest.shape),
    )


def effective_size(sums: Sums) -> Floats:
    """Return Kish's effective number of rows, (sum w)^2 / sum w^2; n without weights.

    Source: Kish, Survey Sampling, 1965, section 11.7.
    """
    square = sums.weight * sums.weight
    return np.divide(square, sums.weight2, out=np.zeros_like(square), where=sums.weight2 > 0)


def mean_and_variance(sums: Sums) -> tuple[Floats, Floats]:
    """Return the (k,) means, NaN for empty sets, and sample variances, NaN below two rows."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = sums.total / sums.weight
        n = effective_size(sums)
        spread = np.maximum(sums.total2 / sums.weight - mean * mean, 0.0)
        # What rounding leaves of a constant error is not a variance.
        spread[spread <= 1e-12 * mean * mean] = 0.0
        return mean, np.where(n > 1.0, spread * n / (n - 1.0), np.nan)


def compute_p(total: Sums, part: Sums, losses: Losses, *, direction: Direction = "worse") -> Floats:
    """Test each slice against its complement; return (k,) one-sided p-values in 0..1.

    Welch's t (see `welch`); Fisher's exact test for two-valued errors without weights where one of
    the four counts is below ten; 1 where there is no test (an empty complement, fewer than two
    rows, no variance at all).
    """
    # Rates have no large errors that a small side could lack: few of a kind get the exact test.
    skewed = not losses.binary or losses.weights is not None
    p = welch(total, part, direction=direction, floored=skewed or direction == "better")
    if losses.binary and losses.weights is None:
        if losses.low == losses.high:
            return np.ones_like(p)
        all_high = count_high(total, losses)
        high = count_high(part, losses)
        complement = subtract_sums(total, part)
        table = [high, part.n - high, all_high - high, complement.n - (all_high - high)]
        few = (np.minimum.reduce(table) < _FEW) & (complement.n > 0)
        p[few] = fisher(
            high[few], part.n[few], int(all_high[0]), int(total.n[0]), direction=direction
        )
    return p


def count_high(sums: Sums, losses: Losses) -> Ints:
    """Return how many rows of each set have the larger of two error values."""
    if losses.high <= losses.low:
        return np.zeros(len(sums.n), np.int64)
    return np.rint((sums.total - losses.low * sums.weight) / (losses.high - losses.low)).astype(
        np.int64
    )


def compute_tail(total: Sums, part: Sums, losses: Losses, *, direction: Direction) -> Floats:
    """Return (k,) one-sided p of sets of rows against the others of `total`.

    As `compute_p`, but of two-valued errors with large counts the normal tail of the signed root
    deviance, which is less weak for small sets.
    """
    p = compute_p(total, part, losses, direction=direction)
    if not losses.binary or losses.weights is not None:
        return p
    n, all_high = int(total.n[0]), int(count_high(total, losses)[0])
    high = count_high(part, losses)
    table = [high, part.n - high, all_high - high, n - part.n - (all_high - high)]
    sign = 1.0 if direction == "worse" else -1.0
    tail = special.ndtr(-root_deviance(high, part.n, all_high, n, sign))
    return np.where(np.minimum.reduce(table) < _FEW, p, tail)


def welch(
    total: Sums, part: Sums, *, direction: Direction = "worse", floored: bool = True
) -> Floats:
    """Welch's one-sided t test from sums; a set without variance borrows the pooled one.

    Floored, p is no smaller than with the variance of all rows: where errors are skewed, a small
    side that holds none of the large ones has a small variance too, and seems better than chance
    allows (or its complement, worse).
    Source: Welch, Biometrika 34, 1947; Satterthwaite's degrees.
    """
    complement = subtract_sums(total, part)
    mean, variance = mean_and_variance(part)
    complement_mean, complement_variance = mean_and_variance(complement)
    n, complement_n = effective_size(part), effective_size(complement)
    _, pooled = mean_and_variance(total)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a = np.where(variance > 0, variance, np.where(n > 1, pooled, np.nan)) / n
        b = (
            np.where(
                complement_variance > 0,
                complement_variance,
                np.where(complement_n > 1, pooled, np.nan),
            )
            / complement_n
        )
        difference = mean - complement_mean if direction == "worse" else complement_mean - mean
        t = difference / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a * a / (n - 1.0) + b * b / (complement_n - 1.0))
        p = special.stdtr(freedom, -t)
        if floored:
            p = np.maximum(
                p, special.ndtr(-difference / np.sqrt(pooled * (1 / n + 1 / complement_n)))
            )
    known: Floats = np.clip(np.where(np.isfinite(p), p, 1.0), 0.0, 1.0)
    return known
