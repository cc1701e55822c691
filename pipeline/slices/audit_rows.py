"""The rows of an audit in an order of their own, split into discovery and confirmation."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from pipeline.arrays import Floats, Ints, Mask
from pipeline.exceptions import TableError
from pipeline.slices.counting.encode import Codes, list_rows
from pipeline.slices.counting.fixed_point import Losses


@dataclass(frozen=True)
class AuditRows:
    """n rows: codes, losses and, where rows share images, (n,) cluster numbers."""

    codes: Codes
    losses: Losses
    cluster_ids: Ints | None

    def take(self, rows: Ints) -> "AuditRows":
        """Return some of the rows."""
        columns = tuple(column[rows] for column in self.codes.columns)
        cluster_ids = None if self.cluster_ids is None else self.cluster_ids[rows]
        codes = replace(self.codes, columns=columns)
        return AuditRows(codes, self.losses.take(rows), cluster_ids)

    def __len__(self) -> int:
        return len(self.losses.errors)


def number_clusters(cluster_ids: ArrayLike | pl.Series | None, *, rows: int) -> Ints | None:
    """Number cluster ids in their sorted order; None when every row is a cluster of its own.

    Raises TableError for nulls or a wrong length.
    """
    if cluster_ids is None:
        return None
    series = pl.Series(
        "cluster_ids",
        np.asarray(cluster_ids) if not isinstance(cluster_ids, pl.Series) else cluster_ids,
    )
    problems = []
    if len(series) != rows:
        problems.append(f"cluster_ids are {len(series)}, expected {rows}, one per row")
    if series.null_count():
        where = list_rows(np.flatnonzero(series.is_null().to_numpy()))
        problems.append(
            f"cluster_ids are empty in rows {where}; expected the id of the row's image"
        )
    if problems:
        raise TableError.from_problems("slice search", problems)
    number = series.rank("dense").to_numpy().astype(np.int64) - 1
    return None if number.max(initial=-1) + 1 == rows else number


def sort_rows(rows: AuditRows) -> AuditRows:
    """Sort by cluster, codes, weight and error, so that seeded draws do not depend on row order."""
    return rows.take(order_rows(rows))


def order_rows(rows: AuditRows) -> Ints:
    """Return the rows in the order of `sort_rows`."""
    keys: list[Ints | Floats] = [rows.losses.errors]
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
    if rows.cluster_ids is not None:
        keys.append(rows.cluster_ids)
    return np.lexsort(keys)


def split_rows(rows: AuditRows, *, confirm: float, seed: int) -> tuple[AuditRows, AuditRows | None]:
    """Hold out the share `confirm` of the images (or rows); an image's rows stay together."""
    if confirm <= 0:
        return rows, None
    chosen = choose_held_out(rows, confirm=confirm, seed=seed)
    return rows.take(np.flatnonzero(~chosen)), rows.take(np.flatnonzero(chosen))


def choose_held_out(rows: AuditRows, *, confirm: float, seed: int) -> Mask:
    """Return (n,) which of some sorted rows are held out."""
    rng = np.random.default_rng([seed, 1])
    number = np.arange(len(rows)) if rows.cluster_ids is None else rows.cluster_ids
    count = int(number.max(initial=-1)) + 1
    held_out = np.zeros(count, np.bool_)
    held_out[rng.permutation(count)[: round(confirm * count)]] = True
    chosen: Mask = held_out[number]
    return chosen


def mark_held_out(rows: AuditRows, order: Ints, *, confirm: float, seed: int) -> Mask:
    """Return (n,) which rows `split_rows` holds out, in their own order; order: `order_rows`."""
    marked = np.zeros(len(rows), np.bool_)
    marked[order] = choose_held_out(rows.take(order), confirm=confirm, seed=seed)
    return marked
