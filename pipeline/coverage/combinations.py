"""Which combinations of attribute values a dataset holds: covered, rare or missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints
from pipeline.exceptions import ConfigError, TableError
from pipeline.tables import COMBINATIONS, check, empty
from pipeline.vocabulary import UNKNOWN

MOST_COMBINATIONS = 200_000
_BLOCK = 1 << 17  # rows that are counted at a time


@dataclass(frozen=True)
class _Column:
    """One attribute: the values to cover and, of each row, which one; the last code is unknown."""

    name: str
    values: tuple[str, ...]
    codes: NDArray[Any]  # (n,) uint8, uint16 or uint32

    @property
    def counts(self) -> Ints:
        """(values,) rows of each value."""
        return np.bincount(self.codes, minlength=len(self.values) + 1)[:-1].astype(np.int64)


def count_combinations(
    attributes: pl.DataFrame,
    *,
    level: int,
    min_samples: int,
    values: Mapping[str, Sequence[str]] | None = None,
    exclusive: Sequence[Sequence[str]] = (),
) -> pl.DataFrame:
    """Count the samples of every combination of values of `level` attributes.

    attributes: n rows, one text column per attribute. level: how many attributes are combined; all
    of them where they are fewer. values: the values that an attribute can have, so that those never
    seen are missing too; values that occur besides are added, and names of no column do nothing.
    exclusive: sets of attributes that are not combined with each other, as two binnings of one
    measure.
    "unknown" is no value to cover, and an attribute without any other takes no part: a row counts
    for a combination where it has those very values.
    Returns COMBINATIONS: covered from `min_samples` on, rare below, missing at 0; `expected` is
    n times the shares of the values, as if the attributes were independent. Fewest samples first;
    of equal ones the most expected first, then in the order of attribute names and their values.
    Raises TableError for a column that is no text or holds nulls, and ConfigError for more than
    MOST_COMBINATIONS.
    """
    if level < 1 or min_samples < 1:
        raise ConfigError(
            f"[domain] level is {level} and min_samples {min_samples}; both are at least 1"
        )
    columns = [column for column in _encode(attributes, values or {}) if column.values]
    groups = _group(columns, exclusive)
    level = min(level, len(groups))
    _check_size(columns, groups, level)
    if not columns:
        return empty(COMBINATIONS)
    group_of = {a: g for g, members in enumerate(groups) for a in members}
    sets = [
        chosen
        for chosen in combinations(range(len(columns)), level)
        if len({group_of[a] for a in chosen}) == level
    ]
    n = np.concatenate(_count(columns, sets, attributes.height))
    expected = np.concatenate(list(_expect(columns, sets, attributes.height)))
    order = np.lexsort((-expected, n))  # stable: ties stay in the order of their predicates
    state = np.where(n >= min_samples, "covered", np.where(n > 0, "rare", "missing"))
    frame = pl.DataFrame(
        {
            "predicates": _name(columns, sets).gather(order),
            "n": n[order],
            "expected": expected[order],
            "state": pl.Series(state[order].tolist(), dtype=pl.String),
        }
    )
    return check(frame, COMBINATIONS, table="combinations")


def _encode(attributes: pl.DataFrame, values: Mapping[str, Sequence[str]]) -> list[_Column]:
    """Number the values of each attribute, in the order of their names."""
    problems, columns = [], []
    for name in sorted(attributes.columns):
        column = attributes[name]
        if column.dtype not in (pl.String, pl.Null, pl.Categorical, pl.Enum):
            problems.append(f"column {name!r} is {column.dtype}; expected text")
        elif column.null_count():
            problems.append(
                f"column {name!r}: {column.null_count()} empty values; write 'unknown' where a "
                "value is not known"
            )
        else:
            texts = column.cast(pl.String)
            listed = dict.fromkeys([*values.get(name, ()), *texts.unique().sort()])
            listed.pop(UNKNOWN, None)
            codes = texts.cast(pl.Enum([*listed, UNKNOWN])).to_physical().to_numpy()
            columns.append(_Column(name, tuple(listed), codes))
    if problems:
        raise TableError.from_problems("attributes of the domain", problems)
    return columns


def _group(columns: list[_Column], exclusive: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the columns in groups of which a combination holds at most one, most of them alone."""
    group_of = {name: g for g, names in enumerate(exclusive) for name in names}
    groups: dict[int | str, list[int]] = {}
    for a, column in enumerate(columns):
        groups.setdefault(group_of.get(column.name, column.name), []).append(a)
    return list(groups.values())


def _check_size(columns: list[_Column], groups: list[list[int]], level: int) -> None:
    """Raise ConfigError for more than MOST_COMBINATIONS, before they are counted."""
    totals = [1] + [0] * level  # of the groups so far, by level
    for members in groups:
        for k in range(level, 0, -1):
            totals[k] += totals[k - 1] * sum(len(columns[a].values) for a in members)
    if totals[level] > MOST_COMBINATIONS:
        largest = sorted(columns, key=lambda column: (-len(column.values), column.name))[:3]
        named = ", ".join(f"{column.name!r} ({len(column.values):,})" for column in largest)
        raise ConfigError(
            f"[domain] {len(columns)} attributes make {totals[level]:,} combinations of level "
            f"{level}, at most {MOST_COMBINATIONS:,} are possible; set a lower level, or name the "
            f"attributes to combine, without those that have the most values: {named}"
        )


def _count(columns: list[_Column], sets: list[tuple[int, ...]], height: int) -> list[Ints]:
    """Count the rows of each combination of values, for each set of attributes."""
    dims = [len(column.values) + 1 for column in columns]
    tables = [np.zeros(int(np.prod([dims[a] for a in chosen])), np.int64) for chosen in sets]
    for start in range(0, height, _BLOCK):
        block = [column.codes[start : start + _BLOCK].astype(np.int64) for column in columns]
        for prefix, members in groupby(enumerate(sets), key=lambda pair: pair[1][:-1]):
            key = np.zeros(len(block[0]), np.int64)
            for a in prefix:
                key = key * dims[a] + block[a]
            for number, chosen in members:
                last = chosen[-1]
                size = len(tables[number])
                tables[number] += np.bincount(key * dims[last] + block[last], minlength=size)
    known = []
    for table, chosen in zip(tables, sets, strict=True):
        shaped = table.reshape([dims[a] for a in chosen])
        known.append(shaped[(slice(-1),) * len(chosen)].ravel())
    return known


def _expect(columns: list[_Column], sets: list[tuple[int, ...]], height: int) -> Iterator[Floats]:
    """Yield the counts to expect if the attributes were independent, for each set of them."""
    shares = [column.counts / max(height, 1) for column in columns]
    for chosen in sets:
        product = np.array([float(height)])
        for a in chosen:
            product = np.multiply.outer(product, shares[a]).ravel()
        yield product


def _name(columns: list[_Column], sets: list[tuple[int, ...]]) -> pl.Series:
    """Write the predicates of each combination, in the order in which they are counted."""
    starts = np.cumsum([0, *(len(column.values) for column in columns)])
    pairs = pl.DataFrame(
        {
            "attribute": [column.name for column in columns for _ in column.values],
            "value": [value for column in columns for value in column.values],
        }
    ).to_struct()
    ids = [
        np.indices([len(columns[a].values) for a in chosen]).reshape(len(chosen), -1)
        + starts[list(chosen)][:, None]
        for chosen in sets
    ]
    pair_ids = np.concatenate(ids, axis=1)  # (level, combinations)
    frame = pl.DataFrame([pairs.gather(row).alias(str(k)) for k, row in enumerate(pair_ids)])
    return frame.select(pl.concat_list(pl.all()).alias("predicates")).to_series()
