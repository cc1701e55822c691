"""Runs of adjacent values of an ordered attribute, as further predicates of the search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Ints, Mask
from pipeline.predicates import name_run

MOST_VALUES = 8  # every run of so many values; of more, only those that hold the first or the last
_Chain = list[tuple[int, int, int]]  # runs (first, last, added), each one value longer


@dataclass(frozen=True)
class Runs:
    """The runs of one attribute, in the order in which they are summed.

    first, last: (r,) the codes that a run begins and ends with. base: (r,) the place on the widened
    axis of what it extends, a code or a run before it. added: (r,) the code that it adds to that.
    """

    words: tuple[str, ...]
    first: Ints
    last: Ints
    base: Ints
    added: Ints

    def __len__(self) -> int:
        return len(self.words)


_NONE = np.empty(0, np.int64)
NO_RUNS = Runs((), _NONE, _NONE, _NONE, _NONE)


def make_runs(order: Sequence[str], *, present: Mask, excluded: Mask, size: int) -> Runs:
    """List the runs of the values of an order.

    present, excluded: (v,) which values have rows, and which no slice may hold; those with rows
    that are not excluded have the codes 0, 1, ... in this order. size: codes of the attribute.
    An excluded value is in no run. A run of all values is left out. Of v values there are at most
    v (v - 1) / 2 - 1 runs, beyond MOST_VALUES 2 v - 4.
    """
    positions = np.flatnonzero(present & ~excluded)
    cuts = np.diff(np.cumsum(excluded)[positions]) > 0  # between two codes: an excluded value
    pieces = np.split(np.arange(len(positions)), np.flatnonzero(cuts) + 1)
    all_codes = None if (present & excluded).any() else (0, len(positions) - 1)
    found: list[tuple[int, int, int, int]] = []
    for piece in pieces:
        if len(piece) < 2:
            continue
        every = len(positions) <= MOST_VALUES
        for chain in _list_chains(int(piece[0]), int(piece[-1]), every=every):
            base = chain[0][0] + chain[0][1] - chain[0][2]  # the end that is not the added one
            for first, last, added in chain:
                if (first, last) != all_codes:  # the last of its chain
                    found.append((first, last, base, added))
                    base = size + len(found) - 1
    if not found:
        return NO_RUNS
    first, last, bases, adds = np.array(found, np.int64).T.copy()
    words = tuple(
        name_run(tuple(order), int(positions[i]), int(positions[j])) for i, j, *_ in found
    )
    return Runs(words, first, last, bases, adds)


def _list_chains(low: int, high: int, *, every: bool) -> list[_Chain]:
    """List the runs of the codes low..high: all, or those that hold the first or last code."""
    starts = range(low, high) if every else [low]
    chains = [[(i, j, j) for j in range(i + 1, high + 1)] for i in starts]
    downward = [(i, high, i) for i in range(high - 1, low, -1)]
    return chains if every or not downward else [*chains, downward]
