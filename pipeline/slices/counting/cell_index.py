"""The cells of a recount that hold the slices of a family, to count only those again."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Ints
from pipeline.slices.counting.cube import Chunk, plan_chunks
from pipeline.slices.layout import Layout
from pipeline.slices.slice_ids import SliceIds


@dataclass(frozen=True)
class WidenedSet:
    """One set of a chunk with runs: which rows of the family are its slices, and their cells.

    begin: of the set in the chunk. cells: of its widened histogram, from 0 on.
    """

    attributes: Ints
    begin: int
    slices: Ints
    cells: Ints


@dataclass(frozen=True)
class CellIndex:
    """The passes that count a family's attribute sets, and which of their cells are its slices."""

    chunks: tuple[Chunk, ...]
    slices: tuple[Ints, ...]  # for each chunk: rows of the family whose set has no runs
    cells: tuple[Ints, ...]  # and their cells
    with_runs: tuple[tuple[WidenedSet, ...], ...]  # for each chunk
    sets: int


def index_cells(layout: Layout, slices: SliceIds) -> CellIndex:
    """Find the cell of every slice; attribute sets without a slice are not counted again.

    slices: (k, level) predicate ids, -1 where there are fewer.
    """
    used = slices >= 0
    attribute = np.searchsorted(layout.ids, np.maximum(slices, 0), side="right") - 1
    value = np.where(used, slices - layout.ids[attribute], 0)
    key = np.zeros(len(slices), np.int64)
    base = len(layout.dims) + 1
    for j in range(slices.shape[1]):
        key = key * base + np.where(used[:, j], attribute[:, j] + 1, 0)
    chunks: list[Chunk] = []
    rows: list[Ints] = []
    cells: list[Ints] = []
    widened: list[tuple[WidenedSet, ...]] = []
    level = used.sum(axis=1)
    for size in np.unique(level):
        at_level = np.flatnonzero(level == size)
        _, first, number = np.unique(key[at_level], return_index=True, return_inverse=True)
        sets = [tuple(int(a) for a in attribute[at_level[i], :size]) for i in first]
        done = 0
        for chunk in plan_chunks(layout.dims, int(size), parts=1, sets=sets):
            mine = (number >= done) & (number < done + len(chunk.sets))
            members = at_level[mine]
            cell = np.zeros(len(members), np.int64)
            for j in range(size):
                cell = cell * layout.widths[attribute[members, j]] + value[members, j]
            place = number[mine] - done
            have_runs = layout.have_runs(chunk.sets)
            plain = ~have_runs[place]
            chunks.append(chunk)
            rows.append(members[plain])
            cells.append(cell[plain] + chunk.begins[place[plain]])
            widened.append(
                tuple(
                    WidenedSet(
                        chunk.sets[s], int(chunk.begins[s]), members[place == s], cell[place == s]
                    )
                    for s in np.flatnonzero(have_runs)
                )
            )
            done += len(chunk.sets)
    return CellIndex(
        tuple(chunks), tuple(rows), tuple(cells), tuple(widened), sum(len(c.sets) for c in chunks)
    )
