"""A table of attribute values -> small integer codes, the same whatever the order of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.exceptions import TableError
from pipeline.slices.array_types import Array

_DIRECT = 1 << 16  # integers in a range up to this wide are their own codes
_SHOWN = 10


@dataclass(frozen=True)
class Codes:
    """Attribute values as integers: `columns[a][i]` indexes `values[a]`; attributes are sorted.

    columns: (n,) uint8, uint16 or uint32 each.
    """

    attributes: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    columns: tuple[Array, ...]

    @property
    def values_by_attribute(self) -> dict[str, tuple[str, ...]]:
        """The values of each attribute, by its name."""
        return dict(zip(self.attributes, self.values, strict=True))


def list_rows(rows: Sequence[int] | Array) -> str:
    """Name at most ten rows in a message, counted from 1."""
    shown = ", ".join(str(int(row) + 1) for row in rows[:_SHOWN])
    return shown if len(rows) <= _SHOWN else f"{shown} and {len(rows) - _SHOWN} more"


def encode_table(table: pl.DataFrame) -> Codes:
    """Turn each column of `table` into integer codes.

    table: n rows, one column per attribute: strings, categories, booleans or integers.
    Raises TableError listing every column that holds nulls or another type.
    """
    problems = [] if table.width else ["it has no attribute columns"]
    encoded: dict[str, tuple[tuple[str, ...], Array]] = {}
    for name in sorted(table.columns):
        column = table[name]
        if column.null_count():
            rows = np.flatnonzero(column.is_null().to_numpy())
            problems.append(
                f"column {name!r}: {len(rows)} empty values (rows {list_rows(rows)}); "
                "write 'unknown' where a value is not known"
            )
        elif column.dtype.is_integer() or column.dtype == pl.Boolean:
            encoded[name] = _encode_integers(column)
        elif column.dtype == pl.String or isinstance(column.dtype, (pl.Categorical, pl.Enum)):
            encoded[name] = _encode_strings(column)
        else:
            problems.append(
                f"column {name!r} is {column.dtype}; expected text, categories or integers "
                "(bin numbers first, or leave the column out with --attributes)"
            )
    if problems:
        raise TableError.from_problems("attribute table", problems)
    return Codes(
        attributes=tuple(encoded),
        values=tuple(values for values, _ in encoded.values()),
        columns=tuple(codes for _, codes in encoded.values()),
    )


def _encode_integers(column: pl.Series) -> tuple[tuple[str, ...], Array]:
    """Use integers as codes where their range is small; booleans become false, true."""
    if column.dtype == pl.Boolean:
        return ("false", "true"), column.cast(pl.UInt8).to_numpy()
    if not len(column):
        return (), np.empty(0, np.uint8)
    low, high = int(column.min()), int(column.max())  # type: ignore[arg-type]  # never null here
    if high - low >= _DIRECT:
        distinct = np.unique(column.to_numpy())
        return tuple(map(str, distinct)), np.searchsorted(distinct, column.to_numpy()).astype(
            np.uint32
        )
    values = tuple(map(str, range(low, high + 1)))
    if low == 0 and column.dtype in (pl.UInt8, pl.UInt16):
        return values, column.to_numpy()
    shifted = column.to_numpy().astype(np.int64) - low
    return values, shifted.astype(np.uint8 if high - low < 256 else np.uint16)


def _encode_strings(column: pl.Series) -> tuple[tuple[str, ...], Array]:
    """Number distinct texts in their sorted order."""
    texts = column.cast(pl.String)
    distinct = texts.unique().sort()
    codes = texts.cast(pl.Enum(distinct)).to_physical().to_numpy()
    return tuple(distinct.to_list()), codes
