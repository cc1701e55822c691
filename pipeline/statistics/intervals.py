"""Intervals of rates and of differences: what the statistics of slices and of groups share."""

import numpy as np
from scipy import special

from pipeline.arrays import Floats, Ints

Ends = tuple[Floats, Floats]
Z = float(special.ndtri(0.975))


def wilson_interval(count: Floats, n: Floats | Ints, *, z: float = Z) -> Ends:
    """Wilson's score intervals of rates (JASA 22, 1927); NaN where n is 0.

    z: the quantile that the interval reaches to; of a t distribution where n is estimated.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = count / n
        middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4.0 * n * n)) / (1 + z**2 / n)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def newcombe_interval(
    count: Floats, n: Floats | Ints, other_count: Floats, other_n: Floats | Ints
) -> Ends:
    """Newcombe's hybrid score intervals of differences of rates.

    Source: Newcombe, Statistics in Medicine 17, 1998, method 10.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, other_rate = count / n, other_count / other_n
    return subtract_intervals(
        rate, wilson_interval(count, n), other_rate, wilson_interval(other_count, other_n)
    )


def subtract_intervals(
    value: Floats, ends: Ends, other_value: Floats, other_ends: Ends, *, correlation: float = 0.0
) -> Ends:
    """Return intervals of `value - other_value` from the intervals of the two.

    correlation: of the two estimates, where the same images enter both. Source: Zou and Donner,
    Statistics in Medicine 27, 2008 (MOVER); without correlation and with Wilson's intervals it is
    Newcombe's.
    """
    difference = value - other_value
    down, other_up = value - ends[0], other_ends[1] - other_value
    up, other_down = ends[1] - value, other_value - other_ends[0]
    lower = down**2 + other_up**2 - 2 * correlation * down * other_up
    upper = up**2 + other_down**2 - 2 * correlation * up * other_down
    return (
        difference - np.sqrt(np.maximum(lower, 0.0)),
        difference + np.sqrt(np.maximum(upper, 0.0)),
    )
