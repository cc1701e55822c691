"""Joint histograms of several attributes, from which the counts of many attribute sets are summed.

Counting 220 sets of three attributes row by row takes 220 additions a row. About 20 histograms of
six attributes hold the same counts: one addition a row each, and sums over their cells after that.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Ints
from pipeline.slices.layout import Layout
from pipeline.slices.ordered.runs import Runs

AttributeSet = tuple[int, ...]
_LIMITS = (1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16)  # cells of a superset; 1: each set by itself
# Costs of one permutation in additions of a row (about 1 ns), measured on 2 cores.
_CELL_COST, _SUM_COST, _CALL_COST = 1.0, 0.1, 150.0


@dataclass(frozen=True)
class Summation:
    """A set of attributes is summed out of another: the axis in the middle is left out."""

    source: int  # number of the other set; the superset itself is number 0
    outer: int  # cells before the axis
    size: int  # values of the axis
    inner: int  # cells after it


@dataclass(frozen=True)
class Superset:
    """One joint histogram, the sums to take from it, and the slices that are read from each."""

    attributes: AttributeSet
    cells: int
    sums: tuple[Summation, ...]  # the result of sums[i] is set number i + 1
    reads: tuple["Read", ...]


@dataclass(frozen=True)
class Read:
    """Which slices of the family are read from one set, and from which of its cells.

    axes: of a set with runs, how many codes each axis has, how many of these count, and its runs;
    cells are then those of the widened histogram.
    """

    number: int  # of the set
    slices: Ints
    cells: Ints
    axes: tuple[tuple[int, int, Runs], ...]


@dataclass(frozen=True)
class _Tree:
    """The sets that are summed out of a superset, larger ones first."""

    numbers: dict[AttributeSet, int]
    sums: tuple[Summation, ...]


def plan_supersets(layout: Layout, slices: NDArray[np.int32], *, rows: int) -> list[Superset]:
    """Choose the joint histograms that are cheapest for the attribute sets of a family's slices.

    slices: (k, level) predicate ids, -1 where there are fewer. rows: how many rows are added to
    each histogram at a time; the more, the larger the histograms that pay.
    """
    members, cells = _place_slices(layout, slices)
    dims = layout.dims.tolist()
    least = min(rows / 64, _LIMITS[-1])
    limits = [1, *(limit for limit in _LIMITS if least <= limit <= 4 * rows)]
    plans = [_cover(list(members), dims, limit) for limit in limits]
    costs = [sum(_estimate(group, sets, dims, rows) for group, sets in plan) for plan in plans]
    groups = plans[int(np.argmin(costs))]
    trees = [_grow_tree(group, sets, dims) for group, sets in groups]
    return [
        Superset(
            group, _count_cells(group, dims), tree.sums,
            tuple(Read(tree.numbers[s], members[s], cells[s], _list_axes(layout, s)) for s in sets),
        )
        for (group, sets), tree in zip(groups, trees, strict=True)
    ]  # fmt: skip


def _place_slices(
    layout: Layout, slices: NDArray[np.int32]
) -> tuple[dict[AttributeSet, Ints], dict[AttributeSet, Ints]]:
    """Return, for each attribute set that occurs, its slices and their cells."""
    used = slices >= 0
    attribute = np.searchsorted(layout.ids, np.maximum(slices, 0), side="right") - 1
    value = np.where(used, slices - layout.ids[attribute], 0)
    key = np.zeros(len(slices), np.int64)
    cell = np.zeros(len(slices), np.int64)
    for j in range(slices.shape[1]):
        key = key * (len(layout.dims) + 1) + np.where(used[:, j], attribute[:, j] + 1, 0)
        size = np.where(used[:, j], layout.widths[attribute[:, j]], 1)
        cell = cell * size + value[:, j]
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    members, cells = {}, {}
    for rows in np.split(order, starts[1:]) if len(order) else []:
        first = rows[0]
        name = tuple(int(a) for a in attribute[first][used[first]])
        members[name], cells[name] = rows, cell[rows]
    return members, cells


def _list_axes(layout: Layout, attributes: AttributeSet) -> tuple[tuple[int, int, Runs], ...]:
    if not any(len(layout.runs[a]) for a in attributes):
        return ()
    return tuple(
        (int(layout.dims[a]), int(layout.level_one[a]), layout.runs[a]) for a in attributes
    )


def _count_cells(attributes: AttributeSet, dims: list[int]) -> int:
    return math.prod([dims[a] for a in attributes])


def _cover(
    sets: list[AttributeSet], dims: list[int], limit: int
) -> list[tuple[AttributeSet, list[AttributeSet]]]:
    """Gather sets under supersets of at most `limit` cells (or the set's own), greedily.

    Each set belongs to one superset. The next attribute is the one that brings in most sets.
    """
    names = {sum(1 << a for a in s): s for s in sorted(sets, key=lambda s: (-len(s), s))}
    left = dict.fromkeys(names)  # sets as bits, larger ones first
    level = max((len(s) for s in sets), default=0)
    groups = []
    while left:
        group = list(names[next(iter(left))])
        parts = _list_subsets(group, level)
        cells = _count_cells(tuple(group), dims)
        while True:
            fits = [a for a in range(len(dims)) if a not in group and dims[a] * cells <= limit]
            gains = [sum(part | 1 << a in left for part in parts) for a in fits]
            if not gains or max(gains) == 0:
                break
            chosen = fits[gains.index(max(gains))]
            group.append(chosen)
            cells *= dims[chosen]
            parts = _list_subsets(group, level)
        whole = _list_subsets(group, level + 1)
        mine = [bits for bits in whole if bits in left]
        for bits in mine:
            del left[bits]
        groups.append((tuple(sorted(group)), [names[bits] for bits in mine]))
    return groups


def _list_subsets(group: list[int], below: int) -> list[int]:
    """Return the sets of fewer than `below` attributes of a group as bits, the empty one too."""
    sizes = range(min(below, len(group) + 1))
    return [sum(1 << a for a in some) for size in sizes for some in combinations(group, size)]


def _grow_tree(group: AttributeSet, sets: list[AttributeSet], dims: list[int]) -> _Tree:
    """Plan how a superset's sets are summed out, each from the smallest set that is at hand."""
    nodes: dict[int, dict[AttributeSet, AttributeSet]] = {
        size: {} for size in range(len(group) + 1)
    }
    for s in sets:
        nodes[len(s)][s] = ()
    for size in range(1, len(group)):
        for s in nodes[size]:
            above = [tuple(sorted((*s, a))) for a in group if a not in s]
            known = [p for p in above if p in nodes[size + 1]] or above
            parent = min(known, key=lambda p: (_count_cells(p, dims), p))
            nodes[size][s] = parent
            nodes[size + 1].setdefault(parent, ())
    numbers: dict[AttributeSet, int] = {group: 0}
    sums: list[Summation] = []
    for size in range(len(group) - 1, 0, -1):
        for s, parent in nodes[size].items():
            axis = next(j for j, a in enumerate(parent) if a not in s)
            outer, inner = _count_cells(parent[:axis], dims), _count_cells(parent[axis + 1 :], dims)
            numbers[s] = len(sums) + 1
            sums.append(Summation(numbers[parent], outer, dims[parent[axis]], inner))
    return _Tree(numbers, tuple(sums))


def _estimate(group: AttributeSet, sets: list[AttributeSet], dims: list[int], rows: int) -> float:
    """Return what one permutation costs: its rows, its cells, and the sums over these."""
    cells = _count_cells(group, dims)
    sums = 0 if sets == [group] else 1.3 * len(group)  # smaller sets come from sums already taken
    return rows + cells * (_CELL_COST + _SUM_COST * sums) + _CALL_COST * (1 + len(sets) / 4)
