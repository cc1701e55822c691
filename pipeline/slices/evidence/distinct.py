"""Distinct findings: the chosen slices, the rows each accounts for, and the slices it explains."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints, Mask
from pipeline.slices.evidence.assessment import Assessment, Assessor
from pipeline.slices.evidence.choice import choose_slices
from pipeline.slices.slice_ids import Ids, SliceIds
from pipeline.statistics.p_values import adjust_bh
from pipeline.vocabulary import LEVEL

_MOST = 30  # findings, before `top` limits those that are reported
_SHOWN = 20
_CANDIDATES = 5000  # significant slices that are asked whether they are explained, best score first
_ONE_BY_ONE = 300  # the same where each must be counted by itself
_ODDS = 2.0  # odds ratio of a slice's rows being a finding's, for that finding to explain it


@dataclass(frozen=True)
class Finding:
    """One distinct slice: its position and predicate ids, its q when chosen, what it explains."""

    position: int  # in the counted family
    ids: Ids
    q_residual: float
    members: Mask  # (n,) all its rows
    credited: Mask  # (n,) those of which no finding with a larger error holds any
    folded: SliceIds  # (f, level) the best slices that it explains
    folded_count: int


def find_distinct(assessor: Assessor, full: Assessment, *, top: int | None) -> list[Finding]:
    """Choose distinct slices and return them best score first, at most `top`.

    full: the assessment of all rows.
    """
    held: dict[int, Mask] = {}

    def members(position: int) -> Mask:
        if position not in held:
            held[position] = assessor.discovery.members(assessor.family.ids(position))
        return held[position]

    chosen, last = choose_slices(assessor, full, members, limit=_MOST)
    positions = sorted(chosen)[:top]  # a family is sorted by score
    if not positions:
        return []
    masks = np.stack([members(position) for position in positions])  # (f, n)
    credited = _credit_rows(assessor, positions, masks)
    folded = _fold(assessor, full, last, positions, masks)
    family = assessor.family
    return [
        Finding(
            position, family.ids(position), _compute_q(assessor, chosen[position], position),
            masks[f], credited[f], family.slices[folded[f][:_SHOWN]], len(folded[f]),
        )
        for f, position in enumerate(positions)
    ]  # fmt: skip


def _compute_q(assessor: Assessor, now: Assessment, position: int) -> float:
    """Return the q of a slice among those with enough rows where it was chosen.

    Of the statistic that it was chosen by: the root deviance for two-valued errors.
    """
    enough = now.sums.weight >= assessor.discovery.search.min_weight * (1 - 1e-12)
    enough[position] = True
    q = np.ones(len(enough))
    q[enough] = adjust_bh(np.minimum(now.bound / now.tests, 1.0)[enough])
    return float(q[position])


def _credit_rows(assessor: Assessor, positions: list[int], masks: Mask) -> Mask:
    """Give each row to the finding with the largest (or smallest) error that holds it."""
    sums = assessor.family.sums.take(np.array(positions))
    order = np.argsort(-assessor.sign * sums.total / sums.weight, kind="stable")
    credited = np.zeros_like(masks)
    left = np.ones(masks.shape[1], np.bool_)
    for f in order:
        credited[f] = masks[f] & left
        left &= ~masks[f]
    return credited


def _fold(
    assessor: Assessor, full: Assessment, last: Assessment, positions: list[int], masks: Mask
) -> list[Ints]:
    """Return, for each finding, the positions of the slices that it explains, best score first.

    Explained are slices that are significant among all rows (q or family-wise p) and not among
    those that the findings leave. Each belongs to the finding with which it shares rows most beyond
    chance, by the odds ratio of its rows being the finding's; to none where that is below 2.
    """
    family = assessor.family
    remaining: Mask = ~np.logical_or.reduce(masks, axis=0)
    left = None
    if remaining.any():
        known = np.array_equal(last.remaining, remaining)
        left = last if known else assessor.assess(remaining, most=0)
    explained = (family.q < LEVEL) | full.find_significant(LEVEL)
    explained[positions] = False
    if left is not None:
        explained &= left.bound > LEVEL
    most = _CANDIDATES if assessor.supersets is not None else _ONE_BY_ONE
    candidates = np.flatnonzero(explained)[:most]
    folded: list[list[int]] = [[] for _ in positions]
    if not len(candidates):
        return [np.array(some, np.int64) for some in folded]
    shared = assessor.count_shared(masks, candidates)  # (c, f)
    ratio = _compute_odds(shared, family.sums.n[candidates], masks.sum(axis=1), masks.shape[1])
    best = ratio.argmax(axis=1)
    for position, f, odds in zip(
        candidates, best.tolist(), ratio.max(axis=1).tolist(), strict=True
    ):
        if odds >= _ODDS:
            folded[f].append(position)
    return [np.array(some, np.int64) for some in folded]


def _compute_odds(shared: Ints, sizes: Ints, found: Ints, n: int) -> Floats:
    """Return (c, f) odds ratios of rows being in a finding, in a slice and in its complement."""
    inside_only = sizes[:, None] - shared
    found_only = found[None, :] - shared
    neither = n - shared - inside_only - found_only
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = (shared * neither) / (inside_only * found_only)
    ratio: Floats = np.where(shared > 0, np.where(np.isnan(odds), np.inf, odds), 0.0)
    return ratio
