"""The discovery half of an audit: one prepared search, asked again for fewer and fewer rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.slices.audit_rows import AuditRows
from pipeline.slices.counting.cells import Cells, row_codes, take_rows
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.slice_score import Direction
from pipeline.slices.evidence.clusters import (
    Clustered,
    compare_groups,
    compute_clustered_p,
    measure_slices,
)
from pipeline.slices.evidence.max_t import FamilyWise, compute_family_p
from pipeline.slices.evidence.significance import compute_p
from pipeline.slices.family import Family
from pipeline.slices.search import Found, Search, SearchOptions, prepare_search, run_search

Ids = tuple[int, ...]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """All rows of a discovery, or some of them, ready to count."""

    cells: Cells
    codes: NDArray[np.uint8]  # (m, r) of the single rows
    groups: Ints | None


@dataclass(frozen=True)
class Discovery:
    """The rows that are searched, in canonical order, and the search that was prepared for them."""

    rows: AuditRows
    search: Search
    codes: NDArray[np.uint8]  # (m, n) of the single rows

    def members(self, ids: Ids) -> Mask:
        """Tell which rows are in the slice of these predicate ids."""
        layout = self.search.cells.layout
        inside = np.ones(len(self.rows), np.bool_)
        for i in ids:
            a = int(np.searchsorted(layout.ids, i, side="right")) - 1
            inside &= self.codes[a] == i - layout.ids[a]
        return inside

    def compare(self, inside: Mask, outside: Mask) -> float:
        """Return the one-sided p of some rows' error against others'."""
        return compare_rows(
            self.rows.losses, self.rows.groups, inside, outside,
            direction=self.search.options.direction,
        )  # fmt: skip

    def compare_within(self, family: Family, general: int, special: Ints) -> NDArray[np.float64]:
        """Return one-sided p of slices against the other rows of the slice that holds them.

        Rows count as independent here, also with groups: `compare` has the last word.
        """
        around, inside = family.sums.take(np.array([general])), family.sums.take(special)
        return compute_p(around, inside, self.rows.losses, direction=self.search.options.direction)

    def take(self, alive: Mask | None = None) -> Part:
        """Return all rows, or those still alive."""
        if alive is None:
            return Part(self.search.cells, self.codes, self.rows.groups)
        chosen = np.flatnonzero(alive)
        cells = take_rows(self.search.cells, chosen, matrix=self.codes)
        groups = None if self.rows.groups is None else self.rows.groups[chosen]
        return Part(cells, self.codes[:, chosen], groups)

    def count(self, part: Part | None = None) -> Found:
        """Count the family of all rows, or of a part of them."""
        part = part or self.take()
        cells, codes, groups = part.cells, part.codes, part.groups
        if groups is None or not len(groups):
            return run_search(self.search, cells=cells)

        def test(slices: NDArray[np.int32], sums: Sums) -> NDArray[np.float64]:
            measured = measure_slices(cells, codes, groups, self.search.kernels, slices, sums)
            return compute_clustered_p(measured, direction=self.search.options.direction)

        return run_search(self.search, cells=cells, test=test)


def open_discovery(rows: AuditRows, options: SearchOptions) -> Discovery:
    """Prepare the search of the discovery rows."""
    search = prepare_search(rows.codes, rows.losses, options)
    return Discovery(rows, search, row_codes(search.cells))


def compare_rows(
    losses: Losses, groups: Ints | None, inside: Mask, outside: Mask, *, direction: Direction
) -> float:
    """Return the one-sided p of some rows' error against others'; 1 where either has none."""
    if not inside.any() or not outside.any():
        return 1.0
    both = np.flatnonzero(inside | outside)
    if groups is not None:
        return compare_groups(losses.take(both), groups[both], inside[both], direction=direction)
    total, part = losses.take(both).add_up(), losses.take(np.flatnonzero(inside)).add_up()
    return float(compute_p(total, part, losses, direction=direction)[0])


def compute_family_wise(
    discovery: Discovery,
    family: Family,
    asked: Ints,
    *,
    permutations: int,
    seed: int,
    complete: bool,
    part: Part | None = None,
) -> FamilyWise:
    """Return family-wise p of some slices: max-T, or Bonferroni's where not all are counted.

    part: the rows that the family was counted in; all where nothing is said.
    """
    search = discovery.search
    if not complete or permutations < 1 or not len(asked):
        possible = max(float(len(family)), search.possible_slices)
        return FamilyWise(np.minimum(family.p[asked] * possible, 1.0), 0)
    part = part or discovery.take()
    cells, groups = part.cells, part.groups
    clustered: Clustered | None = None
    if groups is not None or cells.losses.weights is not None:
        alone = np.arange(len(cells.losses.errors)) if groups is None else groups
        clustered = measure_slices(
            cells, part.codes, alone, search.kernels, family.slices, family.sums
        )
    return compute_family_p(
        cells, part.codes, search.kernels,
        slices=family.slices, sums=family.sums, asked=asked,
        direction=search.options.direction, permutations=permutations, seed=seed,
        groups=groups, clustered=clustered,
    )  # fmt: skip


def member_finder(rows: AuditRows) -> Callable[[list[tuple[str, str]]], Mask]:
    """Return a function from (attribute, value) predicates to the rows that have them all."""
    place = {name: a for a, name in enumerate(rows.codes.attributes)}

    def find(predicates: list[tuple[str, str]]) -> Mask:
        inside = np.ones(len(rows), np.bool_)
        for attribute, value in predicates:
            a = place[attribute]
            inside &= rows.codes.columns[a] == rows.codes.values[a].index(value)
        return inside

    return find
