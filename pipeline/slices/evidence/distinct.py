"""Greedy explain-away: choose the best slice, remove its rows, search what remains, and so on."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.slices.array_types import Floats, Ids, Ints, Keys, Mask, SliceIds
from pipeline.slices.family import Family
from pipeline.vocabulary import LEVEL

BEYOND = 0.01  # to pass from the best score to a special slice inside it; going back takes LEVEL
_SHOWN = 20


@dataclass(frozen=True)
class AssessedFamily:
    """A counted family and which of its slices are significant."""

    family: Family
    significant: Mask  # (k,)

    @property
    def keys(self) -> Keys:
        """The packed ids of the significant slices."""
        return self.family.keys[self.significant]

    def among(self, keys: Keys) -> Mask:
        """Return which slices are significant and have one of these packed ids."""
        return self.significant & np.isin(self.family.keys, keys)


@dataclass(frozen=True)
class Finding:
    """One distinct slice: its predicate ids, its q when it was chosen, and what it explains."""

    ids: Ids
    q_residual: float
    members: Mask  # (n,) all its rows
    new: Mask  # (n,) those that no earlier finding covers
    folded: SliceIds  # (f, level) the best slices that it explains
    folded_count: int


def explain_away(
    full: AssessedFamily,
    *,
    recount: Callable[[Mask], AssessedFamily],
    members: Callable[[Ids], Mask],
    compare: Callable[[Mask, Mask], float],
    within: Callable[[Family, int, Ints], Floats],
    limit: int,
) -> list[Finding]:
    """Choose distinct slices until nothing significant remains, at most `limit`.

    full: the family of all n rows. recount(remaining): the family of those rows.
    members(ids): the rows of a slice. compare(inside, reference): p of two sets of rows.
    within(family, general, special): p of slices against the other rows of a more general one, by
    their positions. A finding is significant both in the full family and among the remaining rows.
    The best score goes first; it gives way to a special slice inside it that is clearly worse than
    its other rows, and that to a more general one beyond which it adds nothing.
    """
    findings: list[Finding] = []
    if not full.significant.any():
        return findings
    remaining = np.ones(len(members(())), np.bool_)
    now = full
    while len(findings) < limit:
        eligible = now.among(full.keys)
        if not eligible.any():
            break
        family, best = now.family, int(np.argmax(eligible))  # best score first
        best = _specialize(family, best, eligible, remaining, members, compare, within)
        ids, q = _generalize(family, best, eligible, remaining, members, compare)
        inside = members(ids)
        new = inside & remaining
        remaining = remaining & ~inside
        before, now = now, recount(remaining)
        folded = _explained(before, now, ids)
        findings.append(Finding(ids, q, inside, new, folded[:_SHOWN], len(folded)))
    return findings


def _specialize(
    family: Family, best: int, significant: Mask, remaining: Mask,
    members: Callable[[Ids], Mask], compare: Callable[[Mask, Mask], float],
    within: Callable[[Family, int, Ints], Floats],
) -> int:  # fmt: skip
    """Return the significant slice inside the best one that explains it: worse than its other rows.

    A slice with a large error in a part of it alone has a larger error too, but diluted. p counts
    the slices inside (Bonferroni); what remains of the general one is assessed again without the
    special one's rows.
    """
    while True:
        ids = _list_ids(family, best)
        inside = np.flatnonzero(_hold_all(family, ids) & (family.level > len(ids)))
        special = inside[significant[inside]]
        if not len(special):
            return best
        p = within(family, best, special)
        first = int(np.argmin(p))
        if p[first] * len(inside) > BEYOND:
            return best
        rows, around = members(_list_ids(family, int(special[first]))), members(ids)
        if compare(rows & remaining, around & remaining & ~rows) * len(inside) > BEYOND:
            return best
        best = int(special[first])


def _generalize(
    family: Family, best: int, significant: Mask, remaining: Mask,
    members: Callable[[Ids], Mask], compare: Callable[[Mask, Mask], float],
) -> tuple[Ids, float]:  # fmt: skip
    """Return the most general significant slice around the best one that leaves it nothing to add.

    The special slice is the best of many, so its p against the other rows of the general one is
    multiplied by the number of counted slices inside the general one (Bonferroni).
    """
    ids = _list_ids(family, best)
    inside = members(ids) & remaining
    for level in range(1, len(ids)):
        options: list[tuple[float, Ids, float]] = []
        for general in combinations(ids, level):
            row = family.find(general)
            if row is None or not significant[row]:
                continue
            around = members(general) & remaining & ~inside
            special = int(_hold_all(family, general).sum()) - 1
            if not around.any() or compare(inside, around) * max(special, 1) > LEVEL:
                options.append((float(family.p[row]), general, float(family.q[row])))
        if options:
            _, chosen, q = min(options)
            return chosen, q
    return ids, float(family.q[best])


def _list_ids(family: Family, row: int) -> Ids:
    return tuple(int(i) for i in family.slices[row] if i >= 0)


def _hold_all(family: Family, ids: Ids) -> Mask:
    """Return which slices of the family have all of these predicates."""
    held = np.ones(len(family), np.bool_)
    for i in ids:
        held &= (family.slices == i).any(axis=1)
    return held


def _explained(before: AssessedFamily, after: AssessedFamily, ids: Ids) -> SliceIds:
    """List the slices that are significant only with a finding's rows, best first."""
    gone = np.flatnonzero(before.significant & ~np.isin(before.family.keys, after.keys))
    folded: SliceIds = before.family.slices[gone[gone != before.family.find(ids)]]
    return folded
