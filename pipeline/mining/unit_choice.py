"""Which samples of a pool are mined: likely, apart from each other, shared out over findings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Array, Floats, Ints

_SHORTLIST = 4  # times its share of the budget: how far down a finding is looked through
_BLOCK = 4096
Unit = NDArray[np.float32]


@dataclass(frozen=True)
class Chosen:
    """The mined units: rows (k,) of the pool, and findings (k,) that each was taken for."""

    rows: Ints
    findings: Ints


def share_budget(shares: Sequence[float], budget: int) -> list[int]:
    """Return how many units each finding gets: by its share, at least one, in sum the budget.

    shares: at least 0; equal parts where all are 0. Largest remainders take what is left. A budget
    below the number of findings goes to the first of them by share.
    """
    weights = np.maximum(np.asarray(shares, np.float64), 0.0)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1.0)
    weights = weights / weights.sum()
    first = np.argsort(-weights, kind="stable")[:budget]
    quotas = np.zeros(len(weights), np.int64)
    quotas[first] = 1
    wanted = weights * budget - quotas
    left = budget - int(quotas.sum())
    open_ = np.maximum(wanted, 0.0)
    if left and open_.sum() > 0:
        parts = open_ / open_.sum() * left
        quotas += np.floor(parts).astype(np.int64)
        rest = budget - int(quotas.sum())
        order = np.argsort(-(parts - np.floor(parts)), kind="stable")[:rest]
        quotas[order] += 1
    return [int(one) for one in quotas]


def find_near(vectors: Unit, known: Unit, *, least: float) -> NDArray[np.bool_]:
    """Return (n,) whether a vector has a cosine of `least` or more with any of the (m, d) known.

    vectors: (n, d), unit length, as known.
    """
    near = np.zeros(len(vectors), np.bool_)
    for start in range(0, len(known), _BLOCK):
        near |= (vectors @ known[start : start + _BLOCK].T).max(axis=1, initial=-1.0) >= least
    return near


def shortlist(probabilities: Floats, quotas: Sequence[int]) -> Ints:
    """Return the rows that are looked through: the likeliest of each finding, sorted.

    probabilities: (n, f).
    """
    rows: set[int] = set()
    for place, quota in enumerate(quotas):
        count = min(_SHORTLIST * quota + sum(quotas), len(probabilities))
        rows |= set(np.argsort(-probabilities[:, place], kind="stable")[:count].tolist())
    return np.array(sorted(rows), np.int64)


def choose_units(
    probabilities: Floats, vectors: Unit, quotas: Sequence[int], *, apart: float
) -> Chosen:
    """Choose units for each finding, one at a time, the finding that is least served first.

    probabilities: (n, f) of holding a member. vectors: (n, d) of unit length. quotas: (f,). apart:
    the cosine from which two units are near duplicates, of which one is taken at most. The next
    unit is the one with the largest probability times 1 + novelty. Novelty is 1 for a unit that is
    no more like the units taken for this finding than two of its candidates are on average, 0 for a
    near duplicate (maximal marginal relevance, Carbonell and Goldstein, SIGIR 1998, as a product).
    Ties go to the earlier row.
    """
    count = len(quotas)
    n = len(probabilities)
    free = np.ones(n, np.bool_)
    closest = np.full((count, n), -1.0, np.float32)  # largest cosine with what was taken for it
    lists = [_list_candidates(probabilities[:, one], quota) for one, quota in enumerate(quotas)]
    usual = [_average_cosine(vectors[rows]) for rows in lists]
    taken: list[tuple[int, int]] = []
    served = [0] * count
    while True:
        waiting = [one for one in range(count) if served[one] < quotas[one]]
        if not waiting or not free.any():
            break
        one = min(waiting, key=lambda place: (served[place] / quotas[place], place))
        row = _choose_next(probabilities[:, one], closest[one], free, lists[one], usual[one], apart)
        if row is None:
            served[one] = quotas[one]  # nothing is left for it
            continue
        served[one] += 1
        taken.append((row, one))
        cosines = vectors @ vectors[row]
        free &= cosines < apart
        free[row] = False
        closest[one] = np.maximum(closest[one], cosines)
    pairs = np.array(taken, np.int64).reshape(-1, 2)
    return Chosen(pairs[:, 0], pairs[:, 1])


def _list_candidates(probabilities: Floats, quota: int) -> Ints:
    """Return the likeliest rows for a finding, likeliest first."""
    order: Ints = np.argsort(-probabilities, kind="stable")[: max(_SHORTLIST * quota, 1)]
    return order


def _average_cosine(vectors: Array) -> float:
    """Return the mean cosine of two of the vectors."""
    n = len(vectors)
    if n < 2:
        return 0.0
    total = vectors.sum(axis=0, dtype=np.float64)
    return float((total @ total - n) / (n * (n - 1)))


def _choose_next(
    probabilities: Floats,
    closest: Array,
    free: NDArray[np.bool_],
    candidates: Ints,
    usual: float,
    apart: float,
) -> int | None:
    """Return the best free row, of the candidates or, when these are used up, of all."""
    rows = candidates[free[candidates]]
    if len(rows) == 0:
        rows = np.flatnonzero(free)
    if len(rows) == 0:
        return None
    span = max(apart - usual, 1e-6)
    novelty = 1 - np.clip((closest[rows] - usual) / span, 0.0, 1.0)
    gains = probabilities[rows] * (1 + novelty)
    return int(rows[np.lexsort((rows, -gains))[0]])
