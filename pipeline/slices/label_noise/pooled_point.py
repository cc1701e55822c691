"""Point estimates between what labels show and what the correction says, by how sure it is."""

import numpy as np

from pipeline.arrays import Floats

_SPREAD = 3.92  # standard deviations between the ends of a 95 % interval


def pool_point(corrected: Floats, labelled: Floats) -> float:
    """Return the point estimate of a mean error: its correction as far as it is significant.

    corrected, labelled: (d,) draws of the mean error of a slice as it truly is, and as labelled.
    Their difference m with standard error s counts with the weight 1 - s^2 / m^2, and not at all
    below 0: the positive-part estimator of James and Stein (1961; Efron and Morris, Journal of the
    American Statistical Association 68, 1973) for the bias of the labels. What labels show is
    biased but precise, the correction of a rare slice the other way round. The result lies between
    both medians; draws that a slice's labels leave empty are left out.
    """
    there = np.isfinite(labelled)
    if not there.any():
        return float(np.median(corrected))
    moved = corrected[there] - labelled[there]
    low, middle, high = np.quantile(moved, [0.025, 0.5, 0.975])
    spread = (high - low) / _SPREAD
    weight = max(1.0 - spread**2 / middle**2, 0.0) if middle else 0.0
    start = float(np.median(labelled[there]))
    return start + weight * (float(np.median(corrected[there])) - start)
