"""Greedy explain-away: report the best slice, remove its rows, search the rest, and so on."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pipeline.slices.family import Family
from pipeline.vocabulary import LEVEL

Ids = tuple[int, ...]
Mask = NDArray[np.bool_]
Keys = NDArray[np.bytes_]
Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
BEYOND = 0.01  # to pass from the best score to a special slice inside it; going back takes LEVEL
_SHOWN = 20


@dataclass(frozen=True)
class Judged:
    """A counted family and which of its slices are evident."""

    family: Family
    evident: Mask  # (k,)

    @property
    def keys(self) -> Keys:
        """The packed ids of the evident slices."""
        return self.family.keys[self.evident]

    def among(self, keys: Keys) -> Mask:
        """Tell which slices are evident and have one of these packed ids."""
        return self.evident & np.isin(self.family.keys, keys)


@dataclass(frozen=True)
class Pick:
    """One distinct slice: its predicate ids, the q it had when picked, and what it explains."""

    ids: Ids
    q_residual: float
    members: Mask  # (n,) all its rows
    new: Mask  # (n,) those that no earlier pick covers
    folded: NDArray[np.int32]  # (f, level) the best slices that it explains
    folded_count: int


def explain_away(
    full: Judged,
    *,
    recount: Callable[[Mask], Judged],
    members: Callable[[Ids], Mask],
    compare: Callable[[Mask, Mask], float],
    within: Callable[[Family, int, Rows], Floats],
    limit: int,
) -> list[Pick]:
    """Pick distinct slices until nothing evident remains, or `limit` are found.

    full: the family of all n rows. recount(alive): the family of the rows still there.
    members(ids): the rows of a slice. compare(inside, outside): p of two sets of rows.
    within(family, general, special): p of slices against the rest of one that holds them, by their
    places. A pick is evident both in the full family and among the remaining rows. The best score
    goes first; it gives way to a special slice inside it that is evidently worse than its other
    rows, and that to a more general one beyond which it adds nothing.
    """
    picks: list[Pick] = []
    if not full.evident.any():
        return picks
    alive = np.ones(len(members(())), np.bool_)
    now = full
    while len(picks) < limit:
        known = now.among(full.keys)
        if not known.any():
            break
        family, best = now.family, int(np.argmax(known))  # best score first
        best = _specialize(family, best, known, alive, members, compare, within)
        ids, q = _generalize(family, best, known, alive, members, compare)
        inside = members(ids)
        new = inside & alive
        alive = alive & ~inside
        before, now = now, recount(alive)
        folded = _explained(before, now, ids)
        picks.append(Pick(ids, q, inside, new, folded[:_SHOWN], len(folded)))
    return picks


def _specialize(
    family: Family, best: int, evident: Mask, alive: Mask,
    members: Callable[[Ids], Mask], compare: Callable[[Mask, Mask], float],
    within: Callable[[Family, int, Rows], Floats],
) -> int:  # fmt: skip
    """Return the evident slice inside the best one that explains it: worse than its other rows.

    A slice that only holds a weak one is weak too, but diluted. p counts the slices inside
    (Bonferroni); what remains of the general one is judged again once the special one's rows went.
    """
    while True:
        ids = _list_ids(family, best)
        inside = np.flatnonzero(_hold(family, ids) & (family.level > len(ids)))
        special = inside[evident[inside]]
        if not len(special):
            return best
        p = within(family, best, special)
        first = int(np.argmin(p))
        if p[first] * len(inside) > BEYOND:
            return best
        rows, around = members(_list_ids(family, int(special[first]))), members(ids)
        if compare(rows & alive, around & alive & ~rows) * len(inside) > BEYOND:
            return best
        best = int(special[first])


def _generalize(
    family: Family, best: int, evident: Mask, alive: Mask,
    members: Callable[[Ids], Mask], compare: Callable[[Mask, Mask], float],
) -> tuple[Ids, float]:  # fmt: skip
    """Return the most general evident slice around the best one that leaves it nothing to add.

    The special slice is the best of many, so its p against the rest of the general one is
    multiplied by the number of counted slices inside the general one (Bonferroni).
    """
    ids = _list_ids(family, best)
    inside = members(ids) & alive
    for level in range(1, len(ids)):
        options: list[tuple[float, Ids, float]] = []
        for general in combinations(ids, level):
            row = family.find(general)
            if row is None or not evident[row]:
                continue
            around = members(general) & alive & ~inside
            special = int(_hold(family, general).sum()) - 1
            if not around.any() or compare(inside, around) * max(special, 1) > LEVEL:
                options.append((float(family.p[row]), general, float(family.q[row])))
        if options:
            _, chosen, q = min(options)
            return chosen, q
    return ids, float(family.q[best])


def _list_ids(family: Family, row: int) -> Ids:
    return tuple(int(i) for i in family.slices[row] if i >= 0)


def _hold(family: Family, ids: Ids) -> Mask:
    """Tell which slices of the family have all of these predicates."""
    held = np.ones(len(family), np.bool_)
    for i in ids:
        held &= (family.slices == i).any(axis=1)
    return held


def _explained(before: Judged, after: Judged, ids: Ids) -> NDArray[np.int32]:
    """List the slices that were evident before a pick's rows went and are no longer, best first."""
    gone = np.flatnonzero(before.evident & ~np.isin(before.family.keys, after.keys))
    folded: NDArray[np.int32] = before.family.slices[gone[gone != before.family.find(ids)]]
    return folded
