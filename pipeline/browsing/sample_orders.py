"""Samples in an order, one page at a time: the first page costs as much as the thousandth."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Ints, Mask

_CHUNK = 1 << 16  # places that are examined at a time
Order = NDArray[np.int32]


@dataclass(frozen=True)
class RowPage:
    """Some rows of a frame. last: the place of the last one in the order; None on the last page."""

    rows: Ints
    last: int | None


def order_rows(column: pl.Series, *, descending: bool) -> Order:
    """Return the rows of a column in order, null and NaN last, equal values as in the frame.

    column: (n,) numbers or text. Returns (n,) row numbers.
    """
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.dtype.is_numeric():
        numbers = column.cast(pl.Float64).to_numpy()
        keys = np.where(np.isnan(numbers), np.inf, -numbers if descending else numbers)
    else:
        ranks = column.cast(pl.String).rank("dense", descending=descending)
        keys = ranks.cast(pl.Float64).fill_null(np.inf).to_numpy()
    return np.argsort(keys, kind="stable").astype(np.int32)


def take_page(order: Order | None, fits: Mask, *, after: int, limit: int) -> RowPage:
    """Return the first `limit` rows that fit and come after a place of the order.

    order: (n,) row numbers; None where rows are in their order. fits: (n,) by row. after: -1 for
    the first page.
    """
    found: list[Ints] = []
    count, start, n = 0, after + 1, len(fits)
    places = np.zeros(0, np.int64)
    while start < n and count <= limit:
        stop = min(start + _CHUNK, n)
        rows = np.arange(start, stop) if order is None else order[start:stop]
        there = np.flatnonzero(fits[rows])
        found.append(rows[there].astype(np.int64))
        places = np.concatenate([places, there + start])
        count += len(there)
        start = stop
    rows = np.concatenate(found) if found else np.zeros(0, np.int64)
    more = len(rows) > limit
    return RowPage(rows[:limit], int(places[limit - 1]) if more else None)
