"""Welch's t on the normal scale, so that small slices' heavy tails do not rule a maximum."""

import numpy as np

from pipeline.arrays import Floats
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.evidence.significance import (
    effective_size,
    mean_and_variance,
    subtract_sums,
)


def normal_t(total: Sums, part: Sums, sign: float) -> Floats:
    """Return Welch's t of (k,) slices against their complements on the normal scale.

    sign: 1 for larger errors inside, -1 for smaller; -inf where the difference has the other sign.
    Source: Wallace, Annals of Mathematical Statistics 30, 1959 (bounds for t).
    """
    complement = subtract_sums(total, part)
    mean, variance = mean_and_variance(part)
    other_mean, other_variance = mean_and_variance(complement)
    n, other_n = effective_size(part), effective_size(complement)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = variance / n, other_variance / other_n
        t = sign * (mean - other_mean) / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a * a / (n - 1.0) + b * b / (other_n - 1.0))
        z = np.sqrt(freedom * np.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return np.where(np.isfinite(z) & (t > 0), z, -np.inf)
