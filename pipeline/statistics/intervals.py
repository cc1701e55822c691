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
    count: Floats, n: Floats | Ints, rest_count: Floats, rest_n: Floats | Ints
) -> Ends:
    """Newcombe's hybrid score intervals of differences of rates.

    Source: Newcombe, Statistics in Medicine 17, 1998, method 10.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, rest_rate = count / n, rest_count / rest_n
    return subtract_intervals(
        rate, wilson_interval(count, n), rest_rate, wilson_interval(rest_count, rest_n)
    )


def subtract_intervals(
    value: Floats, ends: Ends, rest_value: Floats, rest_ends: Ends, *, correlation: float = 0.0
) -> Ends:
    """Return intervals of `value - rest_value` from the intervals of the two.

    correlation: of the two estimates, where the same images enter both. Source: Zou and Donner,
    Statistics in Medicine 27, 2008 (MOVER); without correlation and with Wilson's intervals it is
    Newcombe's.
    """
    difference = value - rest_value
    down, rest_up = value - ends[0], rest_ends[1] - rest_value
    up, rest_down = ends[1] - value, rest_value - rest_ends[0]
    lower = down**2 + rest_up**2 - 2 * correlation * down * rest_up
    upper = up**2 + rest_down**2 - 2 * correlation * up * rest_down
    return (
        difference - np.sqrt(np.maximum(lower, 0.0)),
        difference + np.sqrt(np.maximum(upper, 0.0)),
    )
