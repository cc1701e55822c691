"""The rows of a search, ready to count: frequent values as small codes, equal rows as one cell."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.arrays import Array, Bytes, Ints, Mask
from pipeline.exceptions import SearchError
from pipeline.slices.counting.encode import Codes
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.layout import Layout
from pipeline.slices.ordered.runs import NO_RUNS, make_runs

_MOST_VALUES = (1 << 16) - 1
_MERGE_AT = 8  # merge rows when there are at least this many per possible cell


@dataclass(frozen=True)
class Cells:
    """r rows, or cells of merged equal rows, with integer sums of their errors."""

    layout: Layout
    codes: Array  # (m, r) uint8 or uint16
    losses: Losses  # of the n rows
    bits: Bytes | None  # (r,) two-valued errors of single rows; else
    rows: Ints | None  # (r, K) integer channels
    cell_of: Ints | None  # (n,) the cell of each row when equal rows are merged

    @property
    def channel(self) -> int:
        """The channel that the minimum support applies to: rows, or weights."""
        return 0 if self.losses.weights is None else 1

    @cached_property
    def all_sums(self) -> Ints:
        """(1, K) the sums over all rows."""
        if self.bits is not None:
            return np.array([[len(self.bits), int(self.bits.sum(dtype=np.int64))]], np.int64)
        rows = self.channels
        return np.concatenate([rows[:, :-1].sum(axis=0), [rows[:, -1].max()]])[None, :]

    @cached_property
    def total(self) -> Sums:
        """The sums over all rows, in the units of the errors."""
        return self.losses.finish(self.all_sums)

    @property
    def channels(self) -> Ints:
        """(r, K) integer channels, made when only bits are kept."""
        return self.losses.fill_channels() if self.rows is None else self.rows

    def least(self, min_weight: float) -> int:
        """Return a minimum support in the units of its channel."""
        if self.channel == 0:
            return int(np.ceil(min_weight - 1e-9))
        scale = 2.0**self.losses.shift / self.losses.weight_unit
        return int(np.floor(min_weight * scale * (1 - 1e-12)))

    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        arrays = (self.codes, self.bits, self.rows, self.cell_of)
        return sum(array.nbytes for array in arrays if array is not None)


def make_cells(
    codes: Codes,
    losses: Losses,
    kernels: Kernels,
    *,
    min_weight: float,
    is_excluded: Callable[[str, str], bool],
    merge: bool = True,
) -> Cells:
    """Keep the values that can be in a slice and merge equal rows where that pays.

    A value with less weight than `min_weight`, or with `is_excluded(attribute, value)`, is in no
    slice; its rows stay. A rare value of an ordered attribute keeps its code, for runs that hold
    it. Merging needs at least eight rows for each possible cell.
    """
    columns, kept, dims, names, runs = [], [], [], [], []
    for a, (name, values) in enumerate(zip(codes.attributes, codes.values, strict=True)):
        column, ordered = codes.columns[a], codes.ordered[a]
        keep = _frequent(column, len(values), losses, kernels, min_weight)
        excluded = np.array([is_excluded(name, value) for value in values], dtype=np.bool_)
        if ordered:
            present = np.asarray(kernels.count_values(column, len(values)) > 0)[:ordered]
            keep[:ordered] = present
        keep &= ~excluded
        if not keep.any():
            continue
        if keep.sum() > _MOST_VALUES - 1:
            raise SearchError(
                f"attribute {name!r} has {int(keep.sum())} values with enough rows, at most "
                f"{_MOST_VALUES - 1} are possible; raise the minimum support or bin its values"
            )
        columns.append(_shrink(column, keep))
        kept.append(tuple(value for value, stays in zip(values, keep, strict=True) if stays))
        dims.append(len(kept[-1]) + int(not keep.all()))
        names.append(name)
        runs.append(
            make_runs(values[:ordered], present=present, excluded=excluded[:ordered], size=dims[-1])
            if ordered
            else NO_RUNS
        )
    layout = Layout(
        attributes=tuple(names),
        values=tuple(kept),
        dims=np.array(dims, np.int64),
        level_one=np.array([len(values) for values in kept], np.int64),
        runs=tuple(runs),
    )
    small = not columns or max(dims) <= 256
    matrix = np.empty((len(columns), len(losses.errors)), np.uint8 if small else np.uint16)
    for a, column in enumerate(columns):
        matrix[a] = column
    return _fill(layout, matrix, losses, merge=merge)


def take_rows(cells: Cells, rows: Array, *, matrix: Array | None = None) -> Cells:
    """Return the cells of some of the n rows, in the same layout and units.

    matrix: (m, n) codes of all rows; needed when `cells` are merged.
    """
    codes = cells.codes if matrix is None else matrix
    return _fill(
        cells.layout, np.ascontiguousarray(codes[:, rows]), cells.losses.take(rows), merge=True
    )


def row_codes(cells: Cells) -> Array:
    """Return (m, n) codes of the single rows."""
    return cells.codes if cells.cell_of is None else cells.codes[:, cells.cell_of]


def _frequent(
    column: Array, size: int, losses: Losses, kernels: Kernels, min_weight: float
) -> Mask:
    """Return which values have at least `min_weight`."""
    if losses.weights is None:
        counts: Array = kernels.count_values(column, size)
        return np.asarray(counts >= max(min_weight - 1e-9, 1), dtype=np.bool_)
    counts = kernels.count_values(column, size)
    weights = np.bincount(column, weights=losses.weights, minlength=size) * losses.weight_unit
    # Float sums depend on the order of rows: stay on the safe side, counting decides exactly.
    return np.asarray((weights >= min_weight * (1 - 1e-9)) & (counts > 0), dtype=np.bool_)


def _shrink(column: Array, keep: Mask) -> Array:
    """Renumber the kept codes from 0; all others share the code after them."""
    if keep.all():
        return column
    number = np.where(keep, np.cumsum(keep) - 1, keep.sum())
    small: Array = number.astype(np.uint8 if keep.sum() < 256 else np.uint16)[column]
    return small


def _fill(layout: Layout, matrix: Array, losses: Losses, *, merge: bool) -> Cells:
    """Make cells of (m, n) codes, merged when few combinations are possible."""
    n = matrix.shape[1]
    plain = losses.binary and losses.weights is None
    possible = float(np.prod(layout.dims.astype(np.float64)))
    if not merge or possible * _MERGE_AT > n:
        bits = losses.bits() if plain else None
        rows = None if plain else losses.fill_channels()
        return Cells(layout, matrix, losses, bits, rows, None)
    key = np.zeros(n, np.int32)
    for a, dim in enumerate(layout.dims):
        key = key * np.int32(dim) + matrix[a]
    return _merge(layout, matrix, losses, key, int(possible))


def _merge(layout: Layout, matrix: Array, losses: Losses, key: Array, possible: int) -> Cells:
    """Add up the channels of rows with equal keys."""
    from pipeline.slices.counting.kernels_numpy import add_exactly

    present = np.bincount(key, minlength=possible) > 0
    number = np.cumsum(present) - 1
    cell_of = number[key]  # (n,)
    count = int(present.sum())
    channels = losses.fill_channels()
    last = channels.shape[1] - 1
    rows = np.zeros((count, channels.shape[1]), np.int64)
    for q in range(last):
        rows[:, q] = add_exactly(cell_of, np.ascontiguousarray(channels[:, q]), count)
    np.maximum.at(rows[:, last], cell_of, channels[:, last])
    shape = tuple(int(d) for d in layout.dims)
    digits = np.unravel_index(np.flatnonzero(present), shape) if shape else ()
    codes = np.empty((len(shape), count), matrix.dtype)
    for a, digit in enumerate(digits):
        codes[a] = digit
    return Cells(layout, codes, losses, None, rows, cell_of)
