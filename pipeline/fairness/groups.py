"""Groups of samples by the values of sensitive attributes, each with its complement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints
from pipeline.vocabulary import UNKNOWN

Predicates = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """A group and its complement; rows that an unknown value could put in either are in neither."""

    predicates: Predicates  # (attribute, value), attributes sorted
    members: Ints  # rows
    complement: Ints

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that define the group."""
        return tuple(name for name, _ in self.predicates)


@dataclass(frozen=True)
class Column:
    """One attribute of n rows: `codes` index `values`, -1 where the value is unknown."""

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int32]


def encode_column(attributes: pl.DataFrame, name: str) -> Column:
    """Number the values of a column in their sorted order; an Enum's values all count."""
    column = attributes[name]
    texts = column.cast(pl.String)
    declared = column.dtype.categories if isinstance(column.dtype, pl.Enum) else texts.unique()
    values = sorted(value for value in declared.to_list() if value != UNKNOWN)
    codes = texts.replace_strict(
        values, range(len(values)), default=-1, return_dtype=pl.Int32
    ).to_numpy()
    return Column(name, tuple(values), codes)


def list_groups(columns: Sequence[Column], *, max_level: int) -> Iterator[Group]:
    """Yield a group for each value, then each pair of values of two attributes, also empty ones."""
    ordered = sorted(columns, key=lambda column: column.name)
    for level in range(1, max_level + 1):
        for chosen in combinations(ordered, level):
            for codes in product(*(range(len(column.values)) for column in chosen)):
                yield _find_rows(chosen, codes)


def _find_rows(columns: Sequence[Column], codes: Sequence[int]) -> Group:
    """Find the rows with all values, and those that a known value puts in the complement."""
    members = np.ones(len(columns[0].codes), np.bool_)
    complement = np.zeros(len(columns[0].codes), np.bool_)
    for column, code in zip(columns, codes, strict=True):
        members &= column.codes == code
        complement |= (column.codes >= 0) & (column.codes != code)
    predicates = tuple(
        (column.name, column.values[code]) for column, code in zip(columns, codes, strict=True)
    )
    return Group(predicates, np.flatnonzero(members), np.flatnonzero(complement))


def number_strata(columns: Sequence[Column], *, rows: int) -> Ints:
    """Number the combinations of the columns' values; -1 where one of them is unknown."""
    number = np.zeros(rows, np.int64)
    known = np.ones(rows, np.bool_)
    for column in columns:
        _, number = np.unique(number * (len(column.values) + 1) + column.codes, return_inverse=True)
        known &= column.codes >= 0
    return np.where(known, number, -1)
