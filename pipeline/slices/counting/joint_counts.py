"""Sums of the slices of a family over rows that change, from joint histograms."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pipeline.arrays import Array, Ints
from pipeline.slices.counting.cells import Cells
from pipeline.slices.counting.fixed_point import Sums
from pipeline.slices.counting.joint_kernels import JointKernels
from pipeline.slices.counting.supersets import Superset
from pipeline.slices.ordered.widen import RunKernels, widen_histogram

LANES = 8  # integers of a row that one pass adds up; half of them where that is enough
_KEPT_BYTES = 4e8  # of cell numbers; beyond, they are computed again for each pass
Fill = Callable[[Array, int], Array]  # (cell of each row, cells) -> (cells, L) sums


@dataclass(frozen=True)
class JointCounts:
    """Rows whose slices are counted again and again, each time with other numbers to add.

    codes: (m, r) of single rows or of cells. slices: how many the supersets hold together.
    """

    codes: Array
    dims: Ints
    supersets: list[Superset]
    slices: int
    kernels: JointKernels
    run_kernels: RunKernels
    _keys: dict[int, Array] = field(default_factory=dict, repr=False)

    def count_rows(self, drawn: Array) -> Ints:
        """Count rows in every slice. drawn: (L, c) row numbers; returns (k, L)."""
        return self._sum(lambda key, cells: self.kernels.count_drawn(key, drawn, cells), len(drawn))

    def add_up(self, values: Ints) -> Ints:
        """Sum (r, L) integers over the rows of every slice; returns (k, L)."""
        rows, lanes = values.shape
        width = LANES if lanes > LANES // 2 else LANES // 2
        parts = []
        for start in range(0, lanes, width):
            some = values[:, start : start + width]
            if some.shape != (rows, width):
                padded = np.zeros((rows, width), np.int64)
                padded[:, : some.shape[1]] = some
                some = padded
            parts.append(self._sum_lanes(np.ascontiguousarray(some)))
        return np.concatenate(parts, axis=1)[:, :lanes]

    def _sum_lanes(self, values: Ints) -> Ints:
        def fill(key: Array, cells: int) -> Array:
            return self.kernels.add_lanes(key, values, cells)

        return self._sum(fill, values.shape[1])

    def _sum(self, fill: Fill, lanes: int) -> Ints:
        out = np.zeros((self.slices, lanes), np.int64)
        for number, superset in enumerate(self.supersets):
            sets = [fill(self._key(number), superset.cells)]
            for step in superset.sums:
                sets.append(
                    self.kernels.sum_axis(sets[step.source], step.outer, step.size, step.inner)
                )
            for read in superset.reads:
                hist = sets[read.number]
                if read.axes:
                    shape, kept, runs = zip(*read.axes, strict=True)
                    hist = widen_histogram(hist, shape, kept, runs, self.run_kernels, sums=lanes)
                out[read.slices] = hist[read.cells]
        return out

    def _key(self, number: int) -> Array:
        """Return (r,) the cell of each row in one superset."""
        if number in self._keys:
            return self._keys[number]
        superset = self.supersets[number]
        attributes = np.array(superset.attributes, np.int64)
        key = self.kernels.number_cells(self.codes, self.dims, attributes)
        if superset.cells <= 1 << 16:
            key = key.astype(np.uint16)
        if key.nbytes * len(self.supersets) <= _KEPT_BYTES:
            self._keys[number] = key
        return key


def add_channels(joint: JointCounts, cells: Cells) -> Sums:
    """Return the Sums of every slice over the rows of `cells`, or over its merged rows.

    `largest` is not known and left at 0.
    """
    losses = cells.losses
    if cells.bits is not None:
        n = joint.count_rows(np.arange(len(cells.bits), dtype=np.int32)[None])
        high = joint.count_rows(np.flatnonzero(cells.bits).astype(np.int32)[None])
        return losses.finish(np.concatenate([n, high], axis=1))
    merged = joint.codes.shape[1] == cells.codes.shape[1]
    added = joint.add_up((cells.channels if merged else losses.fill_channels())[:, :-1])
    return losses.finish(np.concatenate([added, np.zeros((len(added), 1), np.int64)], axis=1))
