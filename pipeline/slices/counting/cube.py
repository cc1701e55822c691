"""Exact counts of every conjunction up to a level, set of attributes by set, nothing pruned."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from pipeline.arrays import Array, Ints, Mask
from pipeline.files.core_count import count_cores
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.layout import Layout
from pipeline.slices.ordered.widen import pick_run_kernels, widen_histogram
from pipeline.slices.slice_ids import SliceIds

_CHUNK_CELLS = 1 << 20  # cells counted in one pass over the rows
_SMALL = 4_000_000  # row updates below which threads cost more than they save


@dataclass(frozen=True)
class Counts:
    """k slices with integer sums: ids (k, level) of their predicates, -1 where there are fewer."""

    slices: SliceIds
    sums: Ints  # (k, K)


@dataclass(frozen=True)
class Chunk:
    """Attribute sets counted in one pass: each prefix with the attributes first..stop after it."""

    prefixes: Ints  # (P, level - 1)
    first: Ints
    stop: Ints
    starts: Ints  # (P, m) first cell of each set
    sets: Ints  # (S, level)
    begins: Ints  # (S,)
    cells: int


def count_cube(cells: Cells, kernels: Kernels, *, max_level: int, min_weight: float) -> Counts:
    """Count every slice of at most `max_level` predicates with at least `min_weight`.

    Sums are integers, so the number of threads changes no bit of the result.
    """
    level = min(max_level, len(cells.layout.dims))
    if level == 0:
        return Counts(
            np.empty((0, max_level), np.int32), np.empty((0, cells.all_sums.shape[1]), np.int64)
        )
    least = cells.least(min_weight)
    workers = count_cores()
    work = comb(len(cells.layout.dims), level) * cells.codes.shape[1]
    parts = 1 if work < _SMALL else workers
    chunks = plan_chunks(cells.layout.dims, level, parts=parts)

    def count(chunk: Chunk) -> list[Counts]:
        return _count_chunk(cells, kernels, chunk, least)

    if parts == 1 or len(chunks) == 1:
        done = [count(chunk) for chunk in chunks]
    else:
        with ThreadPoolExecutor(workers) as pool:  # ends with the call: nothing to fork over
            done = list(pool.map(count, chunks))
    pieces = [piece for pieces in done for piece in pieces]
    slices = np.full((sum(len(p.slices) for p in pieces), max_level), -1, np.int32)
    at = 0
    for piece in pieces:
        slices[at : at + len(piece.slices), : piece.slices.shape[1]] = piece.slices
        at += len(piece.slices)
    return Counts(slices, np.concatenate([piece.sums for piece in pieces]))


def plan_chunks(
    dims: Ints, level: int, *, parts: int, sets: Sequence[tuple[int, ...]] | None = None
) -> list[Chunk]:
    """Split attribute sets into passes of bounded memory, at least `parts` of them if possible.

    sets: the sets of that level to count, sorted; all of them when None.
    """
    m = len(dims)
    wanted = -(-(comb(m, level) if sets is None else len(sets)) // parts)
    chunks: list[Chunk] = []
    runs: list[tuple[tuple[int, ...], int, int]] = []
    cells = count = 0
    for attributes in combinations(range(m), level) if sets is None else sets:
        prefix, attribute = attributes[:-1], attributes[-1]
        added = int(np.prod(dims[list(attributes)]))
        if count and (cells + added > _CHUNK_CELLS or count >= wanted):
            chunks.append(_make_chunk(runs, dims))
            runs, cells, count = [], 0, 0
        if runs and runs[-1][0] == prefix and runs[-1][2] == attribute:
            runs[-1] = (prefix, runs[-1][1], attribute + 1)
        else:
            runs.append((prefix, attribute, attribute + 1))
        cells += added
        count += 1
    if runs:
        chunks.append(_make_chunk(runs, dims))
    return chunks


def _make_chunk(runs: list[tuple[tuple[int, ...], int, int]], dims: Ints) -> Chunk:
    """Lay the cells of the sets of `runs` (prefix, first, stop) one after the other."""
    level = len(runs[0][0]) + 1
    starts = np.zeros((len(runs), len(dims)), np.int64)
    sets, begins, at = [], [], 0
    for p, (prefix, first, stop) in enumerate(runs):
        size = int(np.prod(dims[list(prefix)])) if prefix else 1
        for attribute in range(first, stop):
            starts[p, attribute - first] = at
            sets.append((*prefix, attribute))
            begins.append(at)
            at += size * int(dims[attribute])
    return Chunk(
        prefixes=np.array([run[0] for run in runs], np.int64).reshape(len(runs), level - 1),
        first=np.array([run[1] for run in runs], np.int64),
        stop=np.array([run[2] for run in runs], np.int64),
        starts=starts,
        sets=np.array(sets, np.int64),
        begins=np.array(begins, np.int64),
        cells=at,
    )


def count_sets(cells: Cells, kernels: Kernels, chunk: Chunk) -> Ints:
    """Return the (cells, K) integer sums of a chunk's sets."""
    chunk_arguments = (
        cells.layout.dims, chunk.prefixes, chunk.first, chunk.stop, chunk.starts, chunk.cells,
    )  # fmt: skip
    if cells.bits is not None:
        return np.asarray(kernels.count_bits(cells.codes, cells.bits, *chunk_arguments))
    return np.asarray(kernels.count_channels(cells.codes, cells.channels, *chunk_arguments))


def _count_chunk(cells: Cells, kernels: Kernels, chunk: Chunk, least: int) -> list[Counts]:
    """Count a chunk's sets and the smaller sets that it is responsible for."""
    hist = count_sets(cells, kernels, chunk)
    out = _extract(hist, chunk.sets, chunk.begins, cells, kernels, least)
    for sets, sums, begins in _smaller_sets(hist, chunk, cells.layout.dims, kernels):
        out += _extract(sums, sets, begins, cells, kernels, least)
    return out


def _extract(
    hist: Ints, sets: Ints, begins: Ints, cells: Cells, kernels: Kernels, least: int
) -> list[Counts]:
    """List the slices of attribute sets that are large enough, those with runs set by set."""
    layout = cells.layout
    have_runs = layout.have_runs(sets)
    plain = ~have_runs
    parts = []
    if plain.any():
        chosen = (sets, begins) if plain.all() else (sets[plain], begins[plain])
        parts.append(
            kernels.extract(
                hist, *chosen, layout.dims, layout.level_one, layout.ids, cells.channel,
                max(least, 1),
            )
        )  # fmt: skip
    kept = np.where(layout.widths > layout.dims, layout.widths, layout.level_one)
    for attributes, begin in zip(sets[have_runs], begins[have_runs], strict=True):
        wide = widen_set(hist, attributes, int(begin), layout, kernels)
        parts.append(
            kernels.extract(
                wide, attributes[None], np.zeros(1, np.int64), layout.widths, kept, layout.ids,
                cells.channel, max(least, 1),
            )
        )  # fmt: skip
    return [Counts(slices, sums) for slices, sums in parts]


def widen_set(hist: Array, attributes: Ints, begin: int, layout: Layout, kernels: Kernels) -> Array:
    """Return the sums of one attribute set with those of its runs, (prod(widths), K).

    hist: (cells, K) sums, from `begin` on those of the set; of four channels and more the last is
    a maximum.
    """
    shape = layout.dims[attributes]
    channels = hist.shape[1]
    return widen_histogram(
        hist[begin : begin + int(np.prod(shape))],
        shape.tolist(),
        layout.level_one[attributes].tolist(),
        [layout.runs[a] for a in attributes],
        pick_run_kernels(kernels),
        sums=channels - 1 if channels > 2 else channels,
    )


def _smaller_sets(
    hist: Ints, chunk: Chunk, dims: Ints, kernels: Kernels
) -> list[tuple[Ints, Ints, Ints]]:
    """Sum the sets of lower levels out of the one superset that owns each of them.

    A set's owner adds the first attributes that it lacks, so each is summed exactly once.
    """
    level = chunk.sets.shape[1]
    jobs: dict[int, list[tuple[int, Mask]]] = {}
    for s, attributes in enumerate(chunk.sets.tolist()):
        for kept in _owned(tuple(attributes)):
            jobs.setdefault(int(kept.sum()), []).append((s, kept))
    out = []
    for size, owned in sorted(jobs.items()):
        sets = np.array([chunk.sets[s][kept] for s, kept in owned], np.int64).reshape(-1, size)
        sizes = np.prod(dims[sets], axis=1)
        begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        sums = np.zeros((int(sizes.sum()), hist.shape[1]), np.int64)
        for (s, kept), begin, cells in zip(owned, begins, sizes, strict=True):
            shape = dims[chunk.sets[s]]
            part = hist[chunk.begins[s] : chunk.begins[s] + int(np.prod(shape))]
            into = sums[begin : begin + cells]
            width = hist.shape[1]
            kernels.marginalize(part, shape, kept, into, width - 1 if width > 2 else width)
        out.append((sets, sums, begins))
    if level == 1:
        return []
    return out


def _owned(attributes: tuple[int, ...]) -> list[Mask]:
    """List, as masks, the proper subsets that a set of attributes owns."""
    masks = []
    level = len(attributes)
    if attributes[0] != 0:  # an owner holds the first attribute, which its subsets may lack
        return []
    for size in range(1, level):
        for positions in combinations(range(level), size):
            kept = [attributes[j] for j in positions]
            free = (a for a in range(attributes[-1] + level + 1) if a not in kept)
            owner = sorted([*kept, *(next(free) for _ in range(level - size))])
            if owner == list(attributes):
                mask = np.zeros(level, np.bool_)
                mask[list(positions)] = True
                masks.append(mask)
    return masks


def estimate_cube(layout: Layout, level: int, *, most: float) -> tuple[float, float, float]:
    """Return, before counting: sets of the top level, slices at most, cells of the largest set.

    most: how many disjoint slices one set can have (all weight / minimum support). Runs overlap: a
    row is in as many slices of a set as the product of the predicates that its values have. Cells
    are those of the widened set.
    """
    widths = np.sort(layout.widths.astype(np.float64))[::-1]
    top = min(level, len(widths))
    # Elementary symmetric polynomials give the sums over all sets without listing them.
    cells, overlaps = np.zeros(top + 1), np.zeros(top + 1)
    cells[0] = overlaps[0] = 1.0
    for values, runs in zip(layout.level_one, layout.runs, strict=True):
        code = np.arange(values)[:, None]
        held = ((code >= runs.first) & (code <= runs.last)).sum(axis=1)  # runs that hold each value
        cells[1:] += cells[:-1] * float(values + len(runs))
        overlaps[1:] += overlaps[:-1] * float(1 + held.max(initial=0))
    slices = sum(min(cells[k], overlaps[k] * most) for k in range(1, top + 1))
    return float(comb(len(widths), top)), float(slices), float(np.prod(widths[:top]))
