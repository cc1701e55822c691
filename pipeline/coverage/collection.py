"""What to collect next: kinds of samples that each fill many gaps in the domain at once."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from pipeline.statistics.arrays import Ints
from pipeline.tables import COLLECTION, check


def plan_collection(
    combinations: pl.DataFrame, *, min_samples: int, top: int | None = 10
) -> pl.DataFrame:
    """Say which samples to collect next, so that each helps many combinations at once.

    combinations: COMBINATIONS, of one level or several. top: rows at most; None for the whole plan,
    after which every combination has `min_samples`.
    Returns COLLECTION; attributes that a row does not name are free. Greedy, as tests are built for
    pairwise coverage (Cohen et al., The AETG System, 1997): a row starts from the combination that
    lacks most, the first of equal ones, and takes on, one by one, the value that completes the most
    lack together with those it has; ties by name and value. `missing` is as many samples as still
    help at least half of what the row covers. Every sample helps, so that a plan never needs more
    than collecting each combination alone.
    Whether a combination can exist at all is not known here: where many are `expected` and none is
    there, look first whether one can be.
    """
    lack = _Lack.read(combinations.filter(pl.col("n") < min_samples), min_samples)
    rows: list[dict[str, object]] = []
    while top is None or len(rows) < top:
        seed = lack.find_largest()
        if seed is None:
            break
        chosen, places = lack.extend(seed)
        needs = np.sort(lack.need[places])[::-1]
        missing = int(needs[(len(needs) + 1) // 2 - 1])
        lack.need[places] = np.maximum(lack.need[places] - missing, 0)
        rows.append({"predicates": lack.name(chosen), "missing": missing, "covers": len(places)})
    return check(pl.DataFrame(rows, schema=dict(COLLECTION)), COLLECTION, table="collection")


@dataclass(frozen=True)
class _Lack:
    """How many samples each combination still lacks."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    rows: list[dict[int, int]]  # of each lacking combination: attribute -> value, by attribute
    row_places: Ints  # where each stands in `need`
    need: Ints  # of all groups of attributes, one table after another; changed in place
    places: dict[tuple[int, ...], Ints]  # group of attributes -> table of places in `need`
    groups_of: tuple[tuple[tuple[int, ...], ...], ...]  # of each attribute

    @classmethod
    def read(cls, lacking: pl.DataFrame, min_samples: int) -> "_Lack":
        """Lay out what the combinations lack as one table for each group of attributes."""
        predicates = [
            {pair["attribute"]: pair["value"] for pair in row} for row in lacking["predicates"]
        ]
        pairs = sorted({pair for row in predicates for pair in row.items()})
        listed = {name: tuple(v for _, v in own) for name, own in groupby(pairs, lambda p: p[0])}
        number = {name: a for a, name in enumerate(listed)}
        code = {(name, v): i for name, own in listed.items() for i, v in enumerate(own)}
        rows = [{number[name]: code[name, row[name]] for name in sorted(row)} for row in predicates]
        places: dict[tuple[int, ...], Ints] = {}
        size = 0
        dims = [len(own) for own in listed.values()]
        for group in dict.fromkeys(map(tuple, rows)):
            shape = [dims[a] for a in group]
            places[group] = size + np.arange(int(np.prod(shape))).reshape(shape)
            size += places[group].size
        row_places = np.array([places[tuple(row)][tuple(row.values())] for row in rows], np.int64)
        need = np.zeros(size, np.int64)
        need[row_places] = min_samples - lacking["n"].to_numpy()
        groups_of = tuple(tuple(g for g in places if a in g) for a in range(len(dims)))
        return cls(tuple(listed), tuple(listed.values()), rows, row_places, need, places, groups_of)

    def find_largest(self) -> dict[int, int] | None:
        """Return the values of the first combination that lacks most, or None when none lacks."""
        needs = self.need[self.row_places]
        if not needs.any():
            return None
        return self.rows[int(needs.argmax())]

    def extend(self, seed: dict[int, int]) -> tuple[dict[int, int], Ints]:
        """Add to a combination the values that complete the most lack, one by one.

        Returns the value of each chosen attribute, and the places of the combinations that lack
        samples and that these values complete.
        """
        gains = [np.zeros(len(own), np.int64) for own in self.values]  # (attributes) (values,)
        left = {group: (group, places) for group, places in self.places.items()}
        for group, table in self.places.items():
            if len(group) == 1:
                gains[group[0]] += self.need[table]
        chosen: dict[int, int] = {}
        waiting = list(seed.items())
        while waiting:
            a, value = waiting.pop()
            chosen[a] = value
            for group in self.groups_of[a]:
                rest, table = left[group]
                axis = rest.index(a)
                rest, table = rest[:axis] + rest[axis + 1 :], np.asarray(table.take(value, axis))
                left[group] = rest, table
                if len(rest) == 1:
                    gains[rest[0]] += self.need[table]
            if not waiting:
                waiting = _find_best(gains, chosen)
        done = np.array([int(table) for rest, table in left.values() if not rest], np.int64)
        return chosen, done[self.need[done] > 0]

    def name(self, chosen: dict[int, int]) -> list[dict[str, str]]:
        """Write values as predicates."""
        return [
            {"attribute": self.names[a], "value": self.values[a][chosen[a]]} for a in sorted(chosen)
        ]


def _find_best(gains: list[Ints], chosen: dict[int, int]) -> list[tuple[int, int]]:
    """Return the free attribute and its value that gain most; nothing when none gains."""
    free = [a for a in range(len(gains)) if a not in chosen]
    best = max(free, key=lambda a: int(gains[a].max()), default=None)  # of equal ones the first
    if best is None or gains[best].max() == 0:
        return []
    return [(best, int(gains[best].argmax()))]
