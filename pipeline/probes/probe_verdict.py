"""When a pair of words is shown to lean towards a group, and when too few images say so."""

import math
from dataclasses import dataclass
from typing import Final

from pipeline.vocabulary import FAIL, INSUFFICIENT, LEVEL, PASS

SHOWN: Final = "shown"
NOT_SHOWN: Final = "not shown"
WORDINGS = 0.8  # share of the wordings that must say the same
PRECISE = 0.3  # half the width of an interval of d that says enough


@dataclass(frozen=True)
class Evidence:
    """What one pair of words has for it.

    d, low, high: effect size and interval. held: share of its wordings. clusters: of the smaller
    side. adjusted_d, adjusted_p: within strata, where `is_adjusted`; None where too little of the
    group could be compared.
    """

    d: float
    low: float
    high: float
    p_family: float
    held: float
    clusters: int
    adjusted_d: float | None = None
    adjusted_p: float | None = None
    is_adjusted: bool = False


@dataclass(frozen=True)
class ProbeVerdict:
    """word: shown | not shown | insufficient evidence. needed: clusters of each side."""

    word: str
    reason: str | None = None
    needed: int | None = None

    def judge_shift(self, shift: float, *, limit: float | None) -> str | None:
        """Return what a gate on the shift of the shares says; None without a limit.

        It fails on a shown shift above the limit; a larger one that is not shown passes as what
        neutral words do as well, and one on too few images is neither.
        """
        if limit is None:
            return None
        if abs(shift) <= limit or self.word == NOT_SHOWN:
            return PASS
        return FAIL if self.word == SHOWN else INSUFFICIENT


def decide(evidence: Evidence, *, min_clusters: int) -> ProbeVerdict:
    """Return what is shown.

    Enough images: `min_clusters` on each side, and an interval of d of at most PRECISE each way;
    `needed` is the number that would do, by the square of the width. Shown: the d is beyond what
    neutral words do for all pairs together (p_family < 0.05), its interval excludes 0, at least
    WORDINGS of the wordings say so, and so does d within strata where it is adjusted (same sign,
    p < 0.05).
    """
    half = (evidence.high - evidence.low) / 2
    if math.isnan(half):
        return ProbeVerdict(NOT_SHOWN, "the encoder takes these words for one")
    if math.isnan(evidence.p_family):
        return ProbeVerdict(INSUFFICIENT, "the encoder takes neutral words for one")
    if evidence.clusters < min_clusters or half > PRECISE:
        needed = math.ceil(evidence.clusters * (half / PRECISE) ** 2)
        least = max(min_clusters, evidence.clusters + 1)
        return ProbeVerdict(INSUFFICIENT, "too few images", max(needed, least))
    if not evidence.p_family < LEVEL:
        return ProbeVerdict(NOT_SHOWN, "neutral words do as much")
    if evidence.low <= 0 <= evidence.high:
        return ProbeVerdict(NOT_SHOWN, "the interval includes no difference")
    if evidence.held < WORDINGS:
        return ProbeVerdict(NOT_SHOWN, "other wordings say otherwise")
    if evidence.is_adjusted:
        if evidence.adjusted_d is None or evidence.adjusted_p is None:
            return ProbeVerdict(INSUFFICIENT, "too few images in strata to compare")
        if evidence.adjusted_d * evidence.d <= 0 or not evidence.adjusted_p < LEVEL:
            return ProbeVerdict(NOT_SHOWN, "not left within strata")
    return ProbeVerdict(SHOWN)
