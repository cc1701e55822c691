"""The `sliceline` package as an engine, with its known faults repaired or refused.

Repaired in a subclass: its bound uses one-hot columns where the paper has rows; candidate ids are
floats that collide past 2**53; small integer errors overflow; the log level of the package changes.
"""

import logging
from typing import Any

import numpy as np

from pipeline.arrays import Array, Floats, Ints
from pipeline.exceptions import SearchError
from pipeline.slices.counting.cells import Cells, row_codes
from pipeline.slices.counting.cube import Counts
from pipeline.slices.slice_ids import SliceIds

Sparse = Any  # scipy's matrices have no types
TOP = 1000  # slices that the package returns at most when no limit is given


def estimate_sliceline(cells: Cells, *, max_level: int) -> float:
    """Return the bytes that the package's matrix of candidates needs at level 2."""
    n, m = len(cells.losses.errors), len(cells.layout.dims)
    columns = int(cells.layout.dims.sum())
    if max_level < 2 or m < 2:
        return 16.0 * n * m
    return 24.0 * n * ((m - 1) * columns - m * (m - 1) / 2) / max(columns / m, 1.0) + 16.0 * n * m


def search_sliceline(
    cells: Cells, *, max_level: int, min_weight: float, top: int | None, alpha: float, memory: float
) -> Counts:
    """Find the best `top` slices of score > 0 with the package and count them exactly ourselves.

    Raises SearchError for what the package cannot do: weights, or more memory than `memory` bytes.
    """
    need = estimate_sliceline(cells, max_level=max_level)
    problems = []
    if cells.losses.weights is not None:
        problems.append("the sliceline engine knows no weights; use engine 'auto'")
    if need > memory:
        problems.append(
            f"the sliceline engine would need about {need / 1e9:.1f} GB, more than the limit of "
            f"{memory / 1e9:.1f} GB; use engine 'auto', or lower --max-level"
        )
    if problems:
        raise SearchError.from_problems("slice search", problems)
    width = cells.losses.channels if cells.bits is None else 2
    empty = Counts(np.empty((0, max_level), np.int32), np.empty((0, width), np.int64))
    if cells.losses.low == cells.losses.high or not len(cells.layout.dims):
        return empty  # the package answers constant errors with nothing or a crash
    codes = row_codes(cells)
    answers = _fit(
        codes, cells.losses.errors, max_level, int(np.ceil(min_weight - 1e-9)), top or TOP, alpha
    )
    slices = _to_ids(answers, cells, max_level)
    if not len(slices):
        return empty
    return Counts(slices, _count_rows(slices, cells, codes))


def _fit(
    codes: Array,
    errors: Floats,
    max_level: int,
    least: int,
    top: int,
    alpha: float,
) -> Array:
    """Return (k, m) codes of the best slices, None where an attribute is unused."""
    finder_class = _repaired_finder(rows=codes.shape[1])
    log = logging.getLogger("sliceline.slicefinder")
    level = log.level
    try:
        finder = finder_class(
            alpha=alpha, k=top, max_l=max_level, min_sup=max(least, 1), verbose=False
        )
        # Category names as integers: a value None would mean "unused" in its answer.
        finder.fit(codes.T.astype(np.int64), errors)
    finally:
        log.setLevel(level)
    answers: Array = np.asarray(finder.top_slices_, dtype=object)
    return answers.reshape(-1, len(codes))


def _repaired_finder(*, rows: int) -> type[Any]:
    """Return Slicefinder with the paper's bound and candidate ids that cannot collide."""
    from sliceline import Slicefinder

    class RepairedFinder(Slicefinder):  # type: ignore[misc]  # the package ships no types
        def _score_ub(self, sizes: Array, errors: Array, largest: Array, _columns: int) -> Array:
            bounds: Array = super()._score_ub(sizes, errors, largest, rows)
            return bounds

        @staticmethod
        def _prepare_deduplication_and_pruning(
            _start: Array, _end: Array, _domains: Array, candidates: Sparse
        ) -> Array:
            ordered = candidates.tocsr().sorted_indices()
            level = int(np.diff(ordered.indptr)[0])
            columns = ordered.indices.reshape(-1, level)
            return np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1).astype(np.float64)

    return RepairedFinder


def _to_ids(answers: Array, cells: Cells, max_level: int) -> SliceIds:
    """Turn the package's answers into predicate ids, leaving out values that count for no slice."""
    slices = []
    for answer in answers:
        used = [a for a, code in enumerate(answer) if code is not None]
        if all(int(answer[a]) < cells.layout.level_one[a] for a in used):
            ids = [int(cells.layout.ids[a]) + int(answer[a]) for a in used]
            slices.append(ids + [-1] * (max_level - len(ids)))
    return np.array(slices, np.int32).reshape(-1, max_level)


def _count_rows(slices: SliceIds, cells: Cells, codes: Array) -> Ints:
    """Count given slices exactly, one by one."""
    channels = cells.losses.fill_channels()
    sums = np.empty((len(slices), channels.shape[1]), np.int64)
    for s, ids in enumerate(slices):
        inside = np.ones(codes.shape[1], np.bool_)
        for i in ids[ids >= 0]:
            inside &= cells.layout.holds(int(i), codes)
        sums[s, :-1] = channels[inside, :-1].sum(axis=0)
        sums[s, -1] = channels[inside, -1].max()
    return sums
