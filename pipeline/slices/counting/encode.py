"""A table of attribute values -> small integer codes, the same whatever the order of the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Array, Mask
from pipeline.exceptions import TableError
from pipeline.predicates import find_order_faults, read_predicate
from pipeline.vocabulary import UNKNOWN

_DIRECT = 1 << 16  # integers in a range up to this wide are their own codes
_SHOWN = 10


@dataclass(frozen=True)
class Codes:
    """Attribute values as integers: `columns[a][i]` indexes `values[a]`; attributes are sorted.

    columns: (n,) uint8, uint16 or uint32 each. ordered: how many of the first values of each
    attribute have an order, lowest first; 0 for an attribute without one.
    """

    attributes: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    columns: tuple[Array, ...]
    ordered: tuple[int, ...]

    @property
    def values_by_attribute(self) -> dict[str, tuple[str, ...]]:
        """The values of each attribute, by its name."""
        return dict(zip(self.attributes, self.values, strict=True))

    def find_rows(self, attribute: str, value: str) -> Mask:
        """Return which rows have an attribute's value, or one of the run that `value` names."""
        a = self.attributes.index(attribute)
        allowed = read_predicate(value, self.values[a][: self.ordered[a]])
        first, last = (self.values[a].index(end) for end in (allowed[0], allowed[-1]))
        return np.asarray((self.columns[a] >= first) & (self.columns[a] <= last))


def list_rows(rows: Sequence[int] | Array) -> str:
    """Name at most ten rows in a message, counted from 1."""
    shown = ", ".join(str(int(row) + 1) for row in rows[:_SHOWN])
    return shown if len(rows) <= _SHOWN else f"{shown} and {len(rows) - _SHOWN} more"


def encode_table(
    table: pl.DataFrame, *, orders: Mapping[str, Sequence[str]] | None = None
) -> Codes:
    """Turn each column of `table` into integer codes.

    table: n rows, one column per attribute: strings, categories, booleans or integers. orders: the
    values of ordered attributes, lowest first; an Enum column has the order of its categories.
    "unknown" has no place in an order, and an order of fewer than three values says nothing.
    Raises TableError listing every column that holds nulls or another type, and every order that
    lacks a value of its column.
    """
    problems = [] if table.width else ["it has no attribute columns"]
    encoded: dict[str, tuple[tuple[str, ...], Array]] = {}
    listed = _list_orders(table, orders or {}, problems)
    for name in sorted(table.columns):
        column = table[name]
        if column.null_count():
            rows = np.flatnonzero(column.is_null().to_numpy())
            problems.append(
                f"column {name!r}: {len(rows)} empty values (rows {list_rows(rows)}); "
                "write 'unknown' where a value is not known"
            )
        elif name in listed:
            encoded[name] = _encode_ordered(column, listed[name])
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
        ordered=tuple(len(listed.get(name, ())) for name in encoded),
    )


def _list_orders(
    table: pl.DataFrame, orders: Mapping[str, Sequence[str]], problems: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return the orders of three or more values; append what is wrong with any to `problems`."""
    listed: dict[str, tuple[str, ...]] = {
        column.name: tuple(value for value in column.dtype.categories if value != UNKNOWN)
        for column in table.iter_columns()
        if isinstance(column.dtype, pl.Enum)
    }
    listed |= {name: tuple(map(str, order)) for name, order in orders.items()}
    for name, order in listed.items():
        if name not in table.columns:
            problems.append(f"an order is given for {name!r}, which is no column")
            continue
        column = table[name]
        if column.dtype.is_float() or column.dtype.is_nested():
            continue  # is no attribute anyway
        values = set(column.drop_nulls().cast(pl.String).unique()) - {UNKNOWN}
        faults = find_order_faults(order, others=values)
        if missing := sorted(values - set(order)):
            shown = ", ".join(map(repr, missing[:_SHOWN]))
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            faults.append(f"it lacks {shown}{more}")
        problems += [f"the order of column {name!r}: {fault}" for fault in faults]
    return {name: order for name, order in listed.items() if len(order) > 2}


def _encode_ordered(column: pl.Series, order: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """Number the values of an order as it has them, then "unknown" where there is any."""
    texts = column.cast(pl.String)
    values = (*order, UNKNOWN) if (texts == UNKNOWN).any() else tuple(order)
    codes = texts.cast(pl.Enum(values), strict=False).to_physical()  # a value that lacks: null
    return values, codes.fill_null(0).to_numpy()


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
