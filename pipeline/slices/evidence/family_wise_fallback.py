"""Which slices of a family are evident: two looks at it, the second where the first shows none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.slices.evidence.discovery import Discovery, Part, compute_family_wise
from pipeline.slices.evidence.distinct import Judged, Mask
from pipeline.slices.family import Family
from pipeline.vocabulary import LEVEL

Ask = Callable[[Family, Part, int], NDArray[np.float64]]  # (k,) p_family from so many permutations
SECOND = LEVEL / 2  # for p_family, so that both looks together stay near 5 %
_FIRST_DRAWS = 99  # permutations that tell whether the others are worth their time
_HOPELESS = 0.1


@dataclass(frozen=True)
class SecondLook:
    """Max-T over the whole family, which sees that slices overlap where q does not."""

    ask: Ask
    permutations: int

    def judge(self, family: Family, part: Part) -> Mask:
        """Tell which slices have p_family < 0.025; none where that is out of reach.

        The largest of a family is reached no less often than one slice alone: without a small p no
        permutation is made. Where 99 of them show no hope, no more are.
        """
        none = np.zeros(len(family), np.bool_)
        if not (family.p < SECOND).any():
            return none
        first = min(_FIRST_DRAWS, self.permutations)
        if self.ask(family, part, first).min() > _HOPELESS:
            return none
        return self.ask(family, part, self.permutations) < SECOND


def judge_family(
    discovery: Discovery, family: Family, *, permutations: int, seed: int
) -> tuple[Judged, Callable[[Mask], Judged]]:
    """Judge the family of all rows, and return how that of fewer rows is counted and judged.

    Evident are slices with q < 0.05. Where there are none, slices with p_family < 0.025 are: q
    takes overlapping slices for as many questions. Bonferroni's p_family (where not all slices were
    counted, or without permutations) is never less than q and so adds nothing.
    """
    first = family.q < LEVEL
    complete = discovery.search.engine == "cube"

    def ask(asked: Family, part: Part, count: int) -> NDArray[np.float64]:
        return compute_family_wise(
            discovery, asked, np.arange(len(asked)), part=part, permutations=count, seed=seed,
            complete=complete,
        ).p  # fmt: skip

    second = SecondLook(ask, permutations)
    evident = first if first.any() else second.judge(family, discovery.take())

    def recount(alive: Mask) -> Judged:
        part = discovery.take(alive)
        rest = discovery.count(part).family
        return Judged(rest, rest.q < LEVEL if first.any() else second.judge(rest, part))

    return Judged(family, evident), recount
