"""The rows of an audit in an order of their own, split into discovery and confirmation."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from pipeline.exceptions import TableError
from pipeline.slices.counting.encode import Codes, list_rows
from pipeline.slices.counting.fixed_point import Losses

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class AuditRows:
    """n rows: codes, losses and, where rows share images, (n,) group numbers."""

    codes: Codes
    losses: Losses
    groups: Ints | None

    def take(self, rows: NDArray[np.int64]) -> "AuditRows":
        """Return some of the rows."""
        columns = tuple(column[rows] for column in self.codes.columns)
        groups = None if self.groups is None else self.groups[rows]
        codes = Codes(self.codes.attributes, self.codes.values, columns)
        return AuditRows(codes, self.losses.take(rows), groups)

    def __len__(self) -> int:
        return len(self.losses.errors)


def number_groups(groups: ArrayLike | pl.Series | None, *, rows: int) -> Ints | None:
    """Number group ids in their sorted order; None when every row is a group of its own.

    Raises TableError for nulls or a wrong length.
    """
    if groups is None:
        return None
    series = pl.Series(
        "groups", np.asarray(groups) if not isinstance(groups, pl.Series) else groups
    )
    problems = []
    if len(series) != rows:
        problems.append(f"groups are {len(series)}, expected {rows}, one per row")
    if series.null_count():
        where = list_rows(np.flatnonzero(series.is_null().to_numpy()))
        problems.append(f"groups are empty in rows {where}; expected the id of the row's image")
    if problems:
        raise TableError.from_problems("slice search", problems)
    number = series.rank("dense").to_numpy().astype(np.int64) - 1
    return None if number.max(initial=-1) + 1 == rows else number


def sort_rows(rows: AuditRows) -> AuditRows:
    """Sort rows by group, codes, weight and error: what is random later starts from this order."""
    keys: list[NDArray[np.int64] | NDArray[np.float64]] = [rows.losses.errors]
    if rows.losses.weights is not None:
        keys.append(rows.losses.weights)
    packed = np.zeros(len(rows), np.int64)
    room = 1
    for values, column in zip(rows.codes.values, rows.codes.columns, strict=True):
        if room * max(len(values), 1) >= 1 << 62:
            keys.append(packed)
            packed, room = np.zeros(len(rows), np.int64), 1
        packed = packed * max(len(values), 1) + column
        room *= max(len(values), 1)
    keys.append(packed)
    if rows.groups is not None:
        keys.append(rows.groups)
    return rows.take(np.lexsort(keys))


def split_rows(rows: AuditRows, *, confirm: float, seed: int) -> tuple[AuditRows, AuditRows | None]:
    """Hold out the share `confirm` of the images (or rows); an image's rows stay together."""
    if confirm <= 0:
        return rows, None
    rng = np.random.default_rng([seed, 1])
    number = np.arange(len(rows)) if rows.groups is None else rows.groups
    count = int(number.max(initial=-1)) + 1
    held_out = np.zeros(count, np.bool_)
    held_out[rng.permutation(count)[: round(confirm * count)]] = True
    chosen = held_out[number]
    return rows.take(np.flatnonzero(~chosen)), rows.take(np.flatnonzero(chosen))
