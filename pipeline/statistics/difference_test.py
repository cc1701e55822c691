"""Whether two shares or means differ, where samples come in clusters."""

import numpy as np
from scipy import special

from pipeline.statistics.estimates import Estimate
from pipeline.statistics.p_values import fisher


def compare_estimates(own: Estimate, other: Estimate, *, beyond: float = 0.0) -> float:
    """Return the two-sided p of a difference whose size is above `beyond`.

    The t test of the difference over its cluster-robust error, in which clusters on both sides
    count as one another's; degrees of freedom of the side with fewer clusters. Where neither side
    varies it is Fisher's exact test of the clusters, whose rates are then 0 and 1.
    """
    difference = abs(own.value - other.value)
    variance = own.variance + other.variance
    if own.spread is not None and other.spread is not None:
        variance -= 2 * float((own.spread * other.spread).sum())
    if variance > 0:
        freedom = max(min(own.clusters, other.clusters) - 1, 1)
        return min(1.0, 2 * float(special.stdtr(freedom, (beyond - difference) / variance**0.5)))
    if difference <= beyond:
        return 1.0
    high = own.clusters if own.value > other.value else other.clusters
    total = own.clusters + other.clusters
    exact = fisher(np.array([high]), np.array([high]), high, total)
    return min(1.0, 2 * float(exact[0]))
