"""Point estimates between what labels show and what the correction says, by how sure it is."""

import numpy as np

from pipeline.arrays import Floats

_SPREAD = 3.92  # standard deviations between the ends of a 95 % interval
_BIAS = 0.4  # standard deviation of what wrong labels do to a mean error, by that of the errors


def pool_point(corrected: Floats, labelled: Floats, *, scale: float) -> float:
    """Return the point estimate of a mean error: its correction as far as it is certain.

    corrected, labelled: (d,) draws of the mean error of a slice as it truly is, and as labelled.
    scale: the standard deviation of the errors. What wrong labels do to a slice has a normal prior
    about 0 with t = 0.4 scale; their difference of standard error s then counts with the weight
    t^2 / (t^2 + s^2), as in Lindley and Smith (Journal of the Royal Statistical Society B 34,
    1972). What labels show is biased but precise, the correction of a rare slice the other way
    round: its median may be far off in an interval that holds the truth. The result lies between
    both medians; draws that a slice's labels leave empty are left out.
    """
    there = np.isfinite(labelled)
    if not there.any():
        return float(np.median(corrected))
    low, high = np.quantile(corrected[there] - labelled[there], [0.025, 0.975])
    error, prior = float(high - low) / _SPREAD, _BIAS * scale
    weight = prior**2 / (prior**2 + error**2) if prior else 0.0
    start = float(np.median(labelled[there]))
    return start + weight * (float(np.median(corrected[there])) - start)
