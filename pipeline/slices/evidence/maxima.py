"""The largest statistic of a family in each permutation, drawn while the answer is open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.arrays import Floats
from pipeline.files.core_count import count_cores

Draw = Callable[[range], Floats]  # the largest statistic of each numbered permutation
_LEVEL = 0.05  # reached more often than this, a statistic is no evidence, however often exactly
_SURE = 1e-4  # chance that a decision differs from that of all permutations
_CLEAR = 0.1  # of 1 / (1 + most), for Bonferroni's bound to settle a question alone
_FIRST, _BATCH = 32, 64  # permutations made at a time
_TOGETHER = 16  # of them by one thread
_TIE = 1e-9


class Maxima:
    """Up to `most` largest statistics under permutation, in the order of their numbers.

    Each permutation has its own seed, so neither threads nor the order of questions change one.
    """

    def __init__(
        self, draw: Draw, *, most: int, decisive: int | None = None, threaded: bool = True
    ) -> None:
        """Draw nothing yet. decisive: of `most`, those that a decision may take; None for all."""
        self.most = most
        self._decisive = most if decisive is None else decisive
        self._draw = draw
        self._threads = count_cores() if threaded else 1
        self._drawn = np.empty(0)

    @property
    def made(self) -> int:
        """How many permutations were made."""
        return len(self._drawn)

    def compute_p(self, statistic: Floats, bound: Floats) -> Floats:
        """Return how often the largest statistic reaches each of (k,) observed ones.

        bound: (k,) upper bounds of p (Bonferroni's). Where one is far below 1 / (1 + most), the
        permutations could say no more, and that is the answer. Else it is
        (1 + reached) / (1 + most), or, once more than one in 20 of all permutations reached it, the
        number of times over how many permutations that took. Source: Besag and Clifford,
        Biometrika 78, 1991.
        """
        enough = int(np.floor(_LEVEL * (1 + self.most))) + 1
        clear = self._is_clear(bound)
        while self.made < self.most and (self._count(statistic[~clear]) < enough).any():
            self._extend(self.most)
        least = 1.0 / (1 + self.most)
        return np.array(
            [
                least if known else self._compute_one(value, enough)
                for value, known in zip(statistic.tolist(), clear.tolist(), strict=True)
            ]
        )

    def is_rare(self, statistic: float, bound: float, level: float) -> bool:
        """Decide whether p <= level, stopping when more permutations would hardly change that.

        p is that of the decisive permutations, and the answer differs from it with a chance of
        about 0.0001. Source: Gandy, JASA 104, 2009 (stopping by the bounds of a binomial
        proportion).
        """
        if not np.isfinite(statistic):
            return False
        if self._is_clear(np.array([bound]))[0]:
            return True
        while True:
            drawn = self._drawn[: self._decisive]
            reached, made = int((drawn >= statistic - _TIE).sum()), len(drawn)
            if 1 + reached > level * (1 + self._decisive):
                return False
            if made >= self._decisive:
                return True
            if made and special.bdtr(reached, made, level) < _SURE:
                return True
            if reached and special.bdtrc(reached - 1, made, level) < _SURE:
                return False
            self._extend(self._decisive)

    def find_rare(self, statistic: Floats, level: float) -> NDArray[np.bool_]:
        """Return (k,) whether p <= level by the permutations made until now, without any more."""
        rare: NDArray[np.bool_] = 1 + self._count(statistic) <= level * (1 + self.made)
        return rare

    def _is_clear(self, bound: Floats) -> NDArray[np.bool_]:
        clear: NDArray[np.bool_] = bound * (1 + self.most) < _CLEAR
        return clear

    def _count(self, statistic: Floats) -> NDArray[np.int64]:
        ordered = np.sort(self._drawn)
        reached: NDArray[np.int64] = self.made - np.searchsorted(ordered, statistic - _TIE)
        return reached

    def _compute_one(self, statistic: float, enough: int) -> float:
        hits = np.flatnonzero(self._drawn >= statistic - _TIE)
        if len(hits) >= enough:
            return float(enough / (hits[enough - 1] + 1))
        return float((1 + len(hits)) / (1 + self.most))

    def _extend(self, limit: int) -> None:
        """Make the next permutations up to a limit, the same number whatever the machine."""
        start = self.made
        stop = min(start - start % _TOGETHER + (_BATCH if start else _FIRST), limit)
        cuts = [start, *range(start - start % _TOGETHER + _TOGETHER, stop, _TOGETHER), stop]
        parts = [range(i, j) for i, j in pairwise(cuts)]
        if self._threads == 1:
            found = [self._draw(part) for part in parts]
        else:
            with ThreadPoolExecutor(self._threads) as pool:  # ends with the call
                found = list(pool.map(self._draw, parts))
        self._drawn = np.concatenate([self._drawn, *found])
