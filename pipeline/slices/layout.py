"""The predicates of a search: the values and runs of each attribute, numbered."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.arrays import Array, Ints, Mask
from pipeline.slices.ordered.runs import NO_RUNS, Runs
from pipeline.slices.slice_ids import Ids, SliceIds


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
            within = self._hold_spans(np.array([number]), np.arange(len(self.spans)))[0]
            inside &= np.append(within, False)[slices].any(axis=1)  # id -1 takes the last
        return inside

    def find_around(self, slices: SliceIds, ids: Ids) -> Mask:
        """Return which (k, level) slices a slice lies inside by its predicates, itself included."""
        around = self._hold_spans(np.arange(len(self.spans)), np.array(ids)).any(axis=1)
        return np.asarray(np.append(around, True)[slices].all(axis=1))  # id -1 asks for nothing

    def _hold_spans(self, wide: Ints, narrow: Ints) -> Mask:
        """Return (w, n) whether each of some ids holds the value or run of each of others."""
        one, other = self.spans[wide][:, None], self.spans[narrow][None]
        same: Mask = one[..., 0] == other[..., 0]
        return same & (one[..., 1] <= other[..., 1]) & (one[..., 2] >= other[..., 2])

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
