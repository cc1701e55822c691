"""Which slices of a family are significant: by q or, where no q is small, by family-wise p."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.slices.array_types import Floats, Mask
from pipeline.slices.evidence.discovery import Discovery, RowSubset, compute_family_wise
from pipeline.slices.evidence.distinct import AssessedFamily
from pipeline.slices.family import Family
from pipeline.vocabulary import LEVEL

ComputeP = Callable[[Family, RowSubset, int], Floats]  # (k,) p_family from so many permutations
FALLBACK_LEVEL = LEVEL / 2  # for p_family, so that q and the fallback together stay near 5 %
_SCREENING = 99  # permutations that decide whether all of them are drawn
_FUTILE = 0.1  # smallest p_family of the screening above which no more are drawn


@dataclass(frozen=True)
class FamilyWiseFallback:
    """Max-T over the whole family, which takes into account that slices overlap; q does not."""

    compute_p: ComputeP
    permutations: int

    def find_significant(self, family: Family, subset: RowSubset) -> Mask:
        """Return which slices have p_family < 0.025, drawing no permutation that cannot matter.

        The maximum over a family reaches a statistic no less often than one slice does: without any
        p below 0.025 there is no p_family below it. If the smallest p_family of 99 permutations is
        above 0.1, no more are drawn and no slice is significant.
        """
        none = np.zeros(len(family), np.bool_)
        if not (family.p < FALLBACK_LEVEL).any():
            return none
        screening = min(_SCREENING, self.permutations)
        if self.compute_p(family, subset, screening).min() > _FUTILE:
            return none
        return self.compute_p(family, subset, self.permutations) < FALLBACK_LEVEL


def assess_family(
    discovery: Discovery, family: Family, *, permutations: int, seed: int
) -> tuple[AssessedFamily, Callable[[Mask], AssessedFamily]]:
    """Find the significant slices of all rows; return a function that does so for fewer rows.

    Significant are slices with q < 0.05. Where there are none, slices with p_family < 0.025 are: q
    treats overlapping slices as separate hypotheses. Bonferroni's p_family (where not all slices
    were counted, or without permutations) is never less than q and so adds nothing.
    """
    by_q = family.q < LEVEL
    complete = discovery.search.engine == "cube"

    def compute_p(counted: Family, subset: RowSubset, draws: int) -> Floats:
        return compute_family_wise(
            discovery, counted, np.arange(len(counted)), subset=subset, permutations=draws,
            seed=seed, complete=complete,
        ).p  # fmt: skip

    fallback = FamilyWiseFallback(compute_p, permutations)
    significant = by_q if by_q.any() else fallback.find_significant(family, discovery.take())

    def recount(remaining: Mask) -> AssessedFamily:
        subset = discovery.take(remaining)
        counted = discovery.count(subset).family
        if by_q.any():
            return AssessedFamily(counted, counted.q < LEVEL)
        return AssessedFamily(counted, fallback.find_significant(counted, subset))

    return AssessedFamily(family, significant), recount
