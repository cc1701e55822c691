"""The smallest gap that the data could have shown: how much an audit without findings proves."""

import numpy as np
from scipy import special

from pipeline.vocabulary import LEVEL

_POWER = 0.8


def detectable_gap(
    *,
    n: float,
    size: float,
    tests: int,
    mean: float,
    deviation: float,
    ceiling: float,
    binary: bool,
) -> float | None:
    """Return the smallest difference that a slice of `size` of n rows shows four times in five.

    tests: slices in the family; the level is 0.05 / tests (Bonferroni's, which the first
    Benjamini-Hochberg step shares). mean, deviation: of all rows' errors. ceiling: the largest
    error possible. None where no difference could have been shown. Source: the normal approximation
    of two means' power (Cohen, Statistical Power Analysis, 1988, chapter 2).
    """
    if not 0 < size < n or deviation <= 0:
        return None
    need = float(special.ndtri(1 - LEVEL / max(tests, 1)))
    reach = float(special.ndtri(_POWER))
    null = deviation * np.sqrt(1 / size + 1 / (n - size))
    gap = (need + reach) * null
    for _ in range(50 if binary else 0):  # a rate's variance changes with the gap
        rate = min(mean + gap, ceiling)
        spread = np.sqrt(max(rate * (ceiling - rate), 0.0) / size + deviation**2 / (n - size))
        gap = need * null + reach * spread
    if binary and mean + gap > ceiling:
        return None
    return float(gap)
