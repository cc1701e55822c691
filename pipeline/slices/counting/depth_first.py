"""Depth-first search for the best slices where counting all of them would be too much.

A slice is opened only while the bound of what lies inside reaches the worst of the best `top` so
far. The best `top` are exact; slices inside unopened ones are not counted.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Ints, Mask
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.cube import Counts, widen_set
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.counting.slice_score import bound_scores, score_slices
from pipeline.slices.options import Direction
from pipeline.slices.slice_ids import SliceIds

_SLACK = 1e-9  # bounds and scores round differently


@dataclass(frozen=True)
class DepthFirstOptions:
    """The limits of a depth-first search for the best `top` slices.

    holds_required: which of (k, level) slices may be reported; others are opened but not kept.
    """

    max_level: int
    min_weight: float
    top: int
    alpha: float
    direction: Direction
    holds_required: Callable[[SliceIds], Mask]


@dataclass(frozen=True)
class DepthFirstResult:
    """The counted slices, and how many were not opened."""

    counts: Counts
    unopened: int


def search_depth_first(
    cells: Cells, kernels: Kernels, options: DepthFirstOptions
) -> DepthFirstResult:
    """Count slices level by level down each branch, leaving out what cannot reach the best."""
    search = _Search(cells, kernels, options)
    if len(cells.layout.dims):
        search.open(np.arange(cells.codes.shape[1], dtype=np.int64), (), 0)
    width = cells.all_sums.shape[1] if cells.bits is None else cells.losses.channels
    slices = np.concatenate([np.empty((0, options.max_level), np.int32), *search.slices])
    sums = np.concatenate([np.empty((0, width), np.int64), *search.sums])
    return DepthFirstResult(Counts(slices, sums), search.unopened)


class _Search:
    """What one search has counted so far, and the score that a branch must be able to reach."""

    def __init__(self, cells: Cells, kernels: Kernels, options: DepthFirstOptions) -> None:
        self.cells, self.kernels, self.options = cells, kernels, options
        self.rows = cells.channels
        self.max_level = min(options.max_level, len(cells.layout.dims))
        self.least = max(cells.least(options.min_weight), 1)
        self.min_weight = max(options.min_weight, 1e-300)
        self.all_weight = float(cells.total.weight[0])
        self.all_total = float(cells.total.total[0])
        self.slices: list[SliceIds] = []
        self.sums: list[Ints] = []
        self.unopened = 0
        self._best: list[float] = []  # a heap of the best `top` scores

    def open(self, members: Ints, parents: tuple[int, ...], first: int) -> None:
        """Count every slice that adds one predicate of attribute `first` or later to `parents`."""
        layout = self.cells.layout
        hist = self.kernels.count_children(
            self.cells.codes, members, self.rows, first, layout.code_starts
        )
        ids, sums = self._keep_large(self._add_runs(np.asarray(hist), first), first)
        if not len(ids):
            return
        slices = np.full((len(ids), self.options.max_level), -1, np.int32)
        slices[:, : len(parents)] = parents
        slices[:, len(parents)] = ids
        self._record(slices, sums)
        if len(parents) + 1 < self.max_level:
            self._open_children(members, parents, ids, sums)

    def _add_runs(self, hist: Ints, first: int) -> Ints:
        """Add the runs of each attribute from `first` on to the counts of their values."""
        layout = self.cells.layout
        if not layout.have_runs(np.arange(first, len(layout.dims))[None])[0]:
            return hist
        begins = layout.code_starts - layout.code_starts[first]
        parts = [
            widen_set(hist, np.array([a]), int(begins[a]), layout, self.kernels)
            for a in range(first, len(layout.dims))
        ]
        return np.concatenate(parts)

    def _keep_large(self, hist: Ints, first: int) -> tuple[Ints, Ints]:
        """Return ids and sums of the counted values and runs with enough rows."""
        layout = self.cells.layout
        ids = np.arange(layout.ids[first], layout.ids[-1])
        good = (hist[:, self.cells.channel] >= self.least) & layout.countable[ids]
        return ids[good], hist[good]

    def _record(self, slices: SliceIds, sums: Ints) -> None:
        """Keep slices that may be reported and raise the score to reach."""
        eligible = self.options.holds_required(slices)
        if not eligible.any():
            return
        self.slices.append(slices[eligible])
        self.sums.append(sums[eligible])
        done = self.cells.losses.finish(sums[eligible])
        scores = score_slices(
            done.weight, done.total,
            all_weight=self.all_weight, all_total=self.all_total,
            alpha=self.options.alpha, direction=self.options.direction,
        )  # fmt: skip
        for score in scores.tolist():
            if len(self._best) < self.options.top:
                heapq.heappush(self._best, score)
            elif score > self._best[0]:
                heapq.heapreplace(self._best, score)

    def _open_children(
        self, members: Ints, parents: tuple[int, ...], ids: Ints, sums: Ints
    ) -> None:
        """Open the counted slices, most promising first, as long as they can matter."""
        layout = self.cells.layout
        done = self.cells.losses.finish(sums)
        bounds = bound_scores(
            done.weight, done.total, done.largest,
            all_weight=self.all_weight, all_total=self.all_total,
            alpha=self.options.alpha, min_weight=self.min_weight,
            direction=self.options.direction,
        )  # fmt: skip
        for child in np.lexsort([ids, -bounds]):
            attribute = int(np.searchsorted(layout.ids, ids[child], side="right")) - 1
            if attribute + 1 == len(layout.dims):
                continue
            if len(self._best) == self.options.top and bounds[child] < self._best[0] - _SLACK:
                self.unopened += 1
                continue
            _, low, high = layout.spans[ids[child]]
            codes = self.cells.codes[attribute][members]
            inside = codes == low if low == high else (codes >= low) & (codes <= high)
            self.open(members[inside], (*parents, int(ids[child])), attribute + 1)
