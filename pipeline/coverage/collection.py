"""What to collect next: kinds of samples that each fill many gaps in the domain at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from pipeline.arrays import Ints
from pipeline.tables import COLLECTION, check


def plan_collection(
    combinations: pl.DataFrame,
    *,
    min_samples: int,
    top: int | None = 10,
    exclusive: Sequence[Sequence[str]] = (),
) -> pl.DataFrame:
    """Return which samples to collect next, so that each helps many combinations at once.

    combinations: COMBINATIONS, of one level or several. top: rows at most; None for the whole plan,
    after which every combination has `min_samples`. exclusive: sets of attributes of which a row
    names at most one.
    Returns COLLECTION; attributes that a row does not name are free. Greedy, as tests are built for
    pairwise coverage (Cohen et al., The AETG System, 1997): a row starts from the combination that
    lacks most, the first of equal ones, and takes on, one by one, the value that completes the most
    lack together with those it has; ties by name and value. `missing` is as many samples as still
    help at least half of what the row covers. Every sample helps, so that a plan never needs more
    than collecting each combination alone.
    Some combinations cannot exist: where many are `expected` and none was seen, check that first.
    """
    lack = _Lack.read(combinations.filter(pl.col("n") < min_samples), min_samples, exclusive)
    rows: list[dict[str, object]] = []
    while top is None or len(rows) < top:
        seed = lack.find_largest()
        if seed is None:
            break
        chosen, cells = lack.extend(seed)
        needs = np.sort(lack.need[cells])[::-1]
        missing = int(needs[(len(needs) + 1) // 2 - 1])
        lack.need[cells] = np.maximum(lack.need[cells] - missing, 0)
        rows.append({"predicates": lack.name(chosen), "missing": missing, "covers": len(cells)})
    return check(pl.DataFrame(rows, schema=dict(COLLECTION)), COLLECTION, table="collection")


@dataclass(frozen=True)
class _Lack:
    """How many samples each combination still lacks."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    rows: list[dict[int, int]]  # of each lacking combination: attribute -> value, by attribute
    row_cells: Ints  # the index of each in `need`
    need: Ints  # of all sets of attributes, one table after another; changed in place
    cell_index: dict[tuple[int, ...], Ints]  # set of attributes -> table of indices into `need`
    sets_of: tuple[tuple[tuple[int, ...], ...], ...]  # of each attribute
    excluded_by: tuple[frozenset[int], ...]  # by each attribute: itself and those of its group

    @classmethod
    def read(
        cls, lacking: pl.DataFrame, min_samples: int, exclusive: Sequence[Sequence[str]]
    ) -> "_Lack":
        """Lay out what the combinations lack as one table for each set of attributes."""
        predicates = [
            {pair["attribute"]: pair["value"] for pair in row} for row in lacking["predicates"]
        ]
        pairs = sorted({pair for row in predicates for pair in row.items()})
        listed = {name: tuple(v for _, v in own) for name, own in groupby(pairs, lambda p: p[0])}
        number = {name: a for a, name in enumerate(listed)}
        code = {(name, v): i for name, own in listed.items() for i, v in enumerate(own)}
        rows = [{number[name]: code[name, row[name]] for name in sorted(row)} for row in predicates]
        cell_index: dict[tuple[int, ...], Ints] = {}
        size = 0
        dims = [len(own) for own in listed.values()]
        for chosen in dict.fromkeys(map(tuple, rows)):
            shape = [dims[a] for a in chosen]
            cell_index[chosen] = size + np.arange(int(np.prod(shape))).reshape(shape)
            size += cell_index[chosen].size
        row_cells = np.array(
            [cell_index[tuple(row)][tuple(row.values())] for row in rows], np.int64
        )
        need = np.zeros(size, np.int64)
        need[row_cells] = min_samples - lacking["n"].to_numpy()
        sets_of = tuple(tuple(s for s in cell_index if a in s) for a in range(len(dims)))
        excluded_by = tuple(
            frozenset({number[name], *(number[o] for own in exclusive if name in own
                                       for o in own if o in number)})
            for name in listed
        )  # fmt: skip
        return cls(
            tuple(listed), tuple(listed.values()), rows, row_cells, need, cell_index, sets_of,
            excluded_by,
        )  # fmt: skip

    def find_largest(self) -> dict[int, int] | None:
        """Return the values of the first combination that lacks most, or None when none lacks."""
        needs = self.need[self.row_cells]
        if not needs.any():
            return None
        return self.rows[int(needs.argmax())]

    def extend(self, seed: dict[int, int]) -> tuple[dict[int, int], Ints]:
        """Add to a combination the values that complete the most lack, one by one.

        Returns the value of each chosen attribute, and the cells of the combinations that lack
        samples and that these values complete.
        """
        gains = [np.zeros(len(own), np.int64) for own in self.values]  # (attributes) (values,)
        left = {one: (one, cells) for one, cells in self.cell_index.items()}
        for one, table in self.cell_index.items():
            if len(one) == 1:
                gains[one[0]] += self.need[table]
        chosen: dict[int, int] = {}
        waiting = list(seed.items())
        while waiting:
            a, value = waiting.pop()
            chosen[a] = value
            for one in self.sets_of[a]:
                free, table = left[one]
                axis = free.index(a)
                free, table = free[:axis] + free[axis + 1 :], np.asarray(table.take(value, axis))
                left[one] = free, table
                if len(free) == 1:
                    gains[free[0]] += self.need[table]
            if not waiting:
                taken = frozenset[int]().union(*(self.excluded_by[a] for a in chosen))
                waiting = _find_best(gains, taken)
        done = np.array([int(table) for free, table in left.values() if not free], np.int64)
        return chosen, done[self.need[done] > 0]

    def name(self, chosen: dict[int, int]) -> list[dict[str, str]]:
        """Write values as predicates."""
        return [
            {"attribute": self.names[a], "value": self.values[a][chosen[a]]} for a in sorted(chosen)
        ]


def _find_best(gains: list[Ints], taken: frozenset[int]) -> list[tuple[int, int]]:
    """Return the free attribute and its value that gain most; nothing when none gains."""
    free = [a for a in range(len(gains)) if a not in taken]
    best = max(free, key=lambda a: int(gains[a].max()), default=None)  # of equal ones the first
    if best is None or gains[best].max() == 0:
        return []
    return [(best, int(gains[best].argmax()))]
