"""How many samples a group needs so that a gap would be significant."""

import numpy as np
from scipy import special

from pipeline.statistics.estimates import Values, estimate_mean

_REACH = float(special.ndtri(0.975) + special.ndtri(0.8))  # 5 % two-sided, 80 % power
_GAP = 0.1  # of a rate
_DEVIATIONS = 0.3  # of other numbers: the gap in standard deviations, about that of a rate of 0.1


class Power:
    """The smallest gap that a test should find, and the variance of the errors.

    The gap is a stated one, not the observed: power at the observed gap is a function of p alone
    (Hoenig and Heisey, The American Statistician 55, 2001).
    """

    def __init__(self, values: Values, *, smallest_gap: float | None = None) -> None:
        rows = np.arange(len(values.numbers))
        overall = estimate_mean(values, rows)
        mean, n = overall.value, max(overall.n, 1)
        variance = float(((values.numbers - mean) ** 2).mean()) if overall.n else 0.0
        default = _GAP if values.rate else _DEVIATIONS * variance**0.5
        self.gap = smallest_gap or default
        shifted = mean + self.gap if mean + self.gap <= 1 else max(mean - self.gap, 0.0)
        self._variance = max(variance, shifted * (1 - shifted)) if values.rate else variance
        # Kish's design effect: the variance over that of as many independent rows.
        plain = variance / n
        self._design = max(overall.variance / plain, 1.0) if plain > 0 else 1.0

    def count_needed(self, *, complement_n: int, at_least: int) -> int:
        """Return the n that shows the gap to `complement_n` others, or to n where those are fewer.

        Four times in five, at a two-sided level of 5 %: the normal approximation (Fleiss,
        Statistical Methods for Rates and Proportions, 1981, chapter 3).
        """
        variance = self._variance * self._design
        if variance <= 0:
            return at_least
        room = (self.gap / _REACH) ** 2
        left = room - variance / max(complement_n, 1)
        n = variance / left if left > 0 else float("inf")
        return max(int(np.ceil(n if n <= complement_n else 2 * variance / room)), at_least)
