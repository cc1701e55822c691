"""The rows of a search, ready to count: frequent values as small codes, equal rows as one cell."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from pipeline.exceptions import SearchError
from pipeline.slices.array_types import Array, Bytes, Ids, Ints, Mask, SliceIds
from pipeline.slices.counting.encode import Codes
from pipeline.slices.counting.fixed_point import Losses, Sums
from pipeline.slices.counting.kernels import Kernels
from pipeline.slices.ordered.runs import NO_RUNS, Runs, make_runs

_MOST_VALUES = (1 << 16) - 1
_MERGE_AT = 8  # merge rows when there are at least this many per possible cell


@dataclass(frozen=True)
class Layout:
    """The values that can be in a slice; the id of one is its position among all attributes'."""

    attributes: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # that count; further codes are left out of every slice
    dims: Ints  # (m,) codes of each attribute, left-out ones included
    level_one: Ints  # (m,) values of each attribute that count
    runs: tuple[Runs, ...]  # of each attribute's values; their ids follow those of its codes

    @cached_property
    def widths(self) -> Ints:
        """(m,) codes and runs of each attribute."""
        return self.dims + np.array([len(runs) for runs in self.runs], np.int64)

    @cached_property
    def ids(self) -> Ints:
        """(m + 1,) the id of each attribute's first code."""
        return np.concatenate([[0], np.cumsum(self.widths)])

    @cached_property
    def code_starts(self) -> Ints:
        """(m + 1,) where each attribute's codes begin when runs are not counted."""
        return np.concatenate([[0], np.cumsum(self.dims)])

    def have_runs(self, sets: Ints) -> Mask:
        """Return which of (S, level) attribute sets hold an attribute with runs."""
        return np.asarray((self.widths > self.dims)[sets].any(axis=1))

    def list_general(self, ids: Ids) -> list[Ids]:
        """List what slices a slice lies inside by its predicates: lower levels first, not itself.

        They have some of its predicates, or in place of one a run that holds it.
        """
        choices: list[list[int | None]] = []
        for number in ids:
            a, first, last = self.spans[number]
            around = (self.spans[:, 0] == a) & (self.spans[:, 1] <= first)
            around &= (self.spans[:, 2] >= last) & self.countable
            choices.append([None, *np.flatnonzero(around).tolist()])
        found = [tuple(i for i in one if i is not None) for one in product(*choices)]
        return sorted((one for one in found if one and one != ids), key=lambda one: (len(one), one))

    def without_runs(self) -> "Layout":
        """Return the same layout with single values only."""
        return replace(self, runs=(NO_RUNS,) * len(self.runs))

    @cached_property
    def predicates(self) -> list[tuple[str, str] | None]:
        """(attribute, value) of each id, a run as one value; None for what is left out."""
        out: list[tuple[str, str] | None] = []
        for a, name in enumerate(self.attributes):
            out += [(name, value) for value in self.values[a]]
            out += [None] * (int(self.dims[a]) - len(self.values[a]))
            out += [(name, words) for words in self.runs[a].words]
        return out

    @cached_property
    def spans(self) -> Ints:
        """(ids, 3) attribute, first code and last code of each id."""
        rows = []
        for a, (dim, runs) in enumerate(zip(self.dims, self.runs, strict=True)):
            code = np.arange(dim)
            first, last = np.append(code, runs.first), np.append(code, runs.last)
            rows.append(np.stack([np.full(len(first), a), first, last], axis=1))
        return np.concatenate([np.empty((0, 3), np.int64), *rows])

    def holds(self, number: int, codes: Array) -> Mask:
        """Return which rows have the predicate with this id. codes: (m, n)."""
        a, first, last = self.spans[number]
        if first == last:
            return np.asarray(codes[a] == first)
        return np.asarray((codes[a] >= first) & (codes[a] <= last))

    def find_inside(self, slices: SliceIds, ids: Ids) -> Mask:
        """Return which (k, level) slices lie inside a slice by their predicates, itself included.

        Each of its predicates is theirs too, or a run that holds a value or a run of theirs.
        """
        inside = np.ones(len(slices), np.bool_)
        for number in ids:
            a, first, last = self.spans[number]
            within = (self.spans[:, 0] == a) & (self.spans[:, 1] >= first)
            within &= self.spans[:, 2] <= last
            inside &= np.append(within, False)[slices].any(axis=1)  # id -1 takes the last
        return inside

    @cached_property
    def countable(self) -> Mask:
        """(ids,) which ids are predicates; the others are codes left out of every slice."""
        return np.array([pair is not None for pair in self.predicates], np.bool_)

    @cached_property
    def text_rank(self) -> Ints:
        """(ids,) rank of each id's predicate in the order of attribute, then value text."""
        keys = [("", "") if pair is None else pair for pair in self.predicates]
        rank = np.empty(len(keys), np.int64)
        rank[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
        return rank


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
