"""The error of some samples beside that of the rest, with what is certain about it."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Mask
from pipeline.statistics.estimates import Estimate, Values, estimate_mean, subtract


@dataclass(frozen=True)
class ChoiceEvidence:
    """n: chosen samples with an error; missing: those without one. rest_n: all other samples.

    error, rest_error: means; difference: of the two. Intervals are of 95 %, by images where several
    samples are of one. None where a number is not known.
    """

    n: int
    missing: int
    rest_n: int
    error: float | None
    error_low: float | None
    error_high: float | None
    rest_error: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None


def weigh_choice(values: Values, known: Mask, chosen: Mask) -> ChoiceEvidence:
    """Compare the chosen samples with all others.

    values: (n,) errors with their images. known: (n,) whether a sample has an error. chosen: (n,).
    """
    inside = np.flatnonzero(chosen & known)
    outside = np.flatnonzero(~chosen & known)
    own, rest = estimate_mean(values, inside), estimate_mean(values, outside)
    difference, (low, high) = _subtract(own, rest)
    return ChoiceEvidence(
        n=len(inside),
        missing=int(np.count_nonzero(chosen)) - len(inside),
        rest_n=len(outside),
        error=keep_finite(own.value),
        error_low=keep_finite(own.interval[0]),
        error_high=keep_finite(own.interval[1]),
        rest_error=keep_finite(rest.value),
        difference=keep_finite(difference),
        difference_low=keep_finite(low),
        difference_high=keep_finite(high),
    )


def keep_finite(value: float | None) -> float | None:
    """Return a number, None where it is not known or infinite."""
    return value if value is not None and math.isfinite(value) else None


def _subtract(own: Estimate, rest: Estimate) -> tuple[float, tuple[float, float]]:
    if own.n == 0 or rest.n == 0:
        return math.nan, (math.nan, math.nan)
    return subtract(own, rest)
