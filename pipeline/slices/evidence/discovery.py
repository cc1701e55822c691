"""The discovery half of an audit: one prepared search, repeated on fewer and fewer rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Bytes, Floats, Ints, Mask
from pipeline.slices.audit_rows import AuditRows
from pipeline.slices.counting.cells import Cells, row_codes, take_rows
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.evidence.clusters import (
    compare_clusters,
    compute_clustered_p,
    measure_slices,
)
from pipeline.slices.evidence.significance import compute_p
from pipeline.slices.options import Direction, SearchOptions
from pipeline.slices.search import Search, SearchResult, prepare_search, run_search
from pipeline.slices.slice_ids import Ids, SliceIds


@dataclass(frozen=True)
class RowSubset:
    """All rows of a discovery, or some of them, ready to count."""

    cells: Cells
    codes: Bytes  # (m, r) of the single rows
    cluster_ids: Ints | None


@dataclass(frozen=True)
class Discovery:
    """The rows that are searched, in canonical order, and the search that was prepared for them."""

    rows: AuditRows
    search: Search
    codes: Bytes  # (m, n) of the single rows

    def members(self, ids: Ids) -> Mask:
        """Return (n,) which rows are in the slice of these predicate ids."""
        layout = self.search.cells.layout
        inside = np.ones(len(self.rows), np.bool_)
        for i in ids:
            inside &= layout.holds(i, self.codes)
        return inside

    def compare(self, inside: Mask, reference: Mask) -> float:
        """Return the one-sided p of some rows' error against that of reference rows."""
        return compare_rows(
            self.rows.losses, self.rows.cluster_ids, inside, reference,
            direction=self.search.options.direction,
        )  # fmt: skip

    def take(self, remaining: Mask | None = None) -> RowSubset:
        """Return all rows, or those that remain."""
        if remaining is None:
            return RowSubset(self.search.cells, self.codes, self.rows.cluster_ids)
        chosen = np.flatnonzero(remaining)
        cells = take_rows(self.search.cells, chosen, matrix=self.codes)
        cluster_ids = None if self.rows.cluster_ids is None else self.rows.cluster_ids[chosen]
        codes = cells.codes if cells.cell_of is None else self.codes[:, chosen]
        return RowSubset(cells, codes, cluster_ids)

    def count(self, subset: RowSubset | None = None) -> SearchResult:
        """Count the family of all rows, or of a subset."""
        subset = subset or self.take()
        cells, codes, cluster_ids = subset.cells, subset.codes, subset.cluster_ids
        if cluster_ids is None or not len(cluster_ids):
            return run_search(self.search, cells=cells)

        def test(slices: SliceIds, sums: Sums) -> Floats:
            measured = measure_slices(cells, codes, cluster_ids, self.search.kernels, slices, sums)
            return compute_clustered_p(measured, direction=self.search.options.direction)

        return run_search(self.search, cells=cells, test=test)


def open_discovery(rows: AuditRows, options: SearchOptions) -> Discovery:
    """Prepare the search of the discovery rows."""
    search = prepare_search(rows.codes, rows.losses, options)
    return Discovery(rows, search, row_codes(search.cells))


def compare_rows(
    losses: Losses, cluster_ids: Ints | None, inside: Mask, reference: Mask, *, direction: Direction
) -> float:
    """Return the one-sided p of some rows' error against reference rows'; 1 if either is empty."""
    if not inside.any() or not reference.any():
        return 1.0
    both = np.flatnonzero(inside | reference)
    if cluster_ids is not None:
        return compare_clusters(
            losses.take(both), cluster_ids[both], inside[both], direction=direction
        )
    total, part = losses.take(both).add_up(), losses.take(np.flatnonzero(inside)).add_up()
    return float(compute_p(total, part, losses, direction=direction)[0])


def member_finder(rows: AuditRows) -> Callable[[list[tuple[str, str]]], Mask]:
    """Return a function from (attribute, value) predicates to the rows that have them all."""

    def find(predicates: list[tuple[str, str]]) -> Mask:
        inside = np.ones(len(rows), np.bool_)
        for attribute, value in predicates:
            inside &= rows.codes.find_rows(attribute, value)
        return inside

    return find
