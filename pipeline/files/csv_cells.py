"""Cells of a CSV file: what a spreadsheet would take for formulas, and what no cell can hold."""

import json

import polars as pl

_FORMULA = r"^['=+\-@\t\r]"


def escape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts begin with an apostrophe where they would run as a formula.

    These are texts that begin with =, +, -, @, a tab or a carriage return, unless they are numbers
    (OWASP, CSV injection), and those that begin with an apostrophe, so that `unescape_formulas`
    gives all of them back.
    """
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(
        pl.when(
            pl.col(name).str.contains(_FORMULA)
            & pl.col(name).cast(pl.Float64, strict=False).is_null()
        )
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )


def flatten_nested(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose nested columns (lists, structs) are JSON text."""
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    texts = [
        pl.Series(name, [None if v is None else json.dumps(v) for v in frame[name].to_list()])
        for name in nested
    ]
    return frame.with_columns(text.cast(pl.String) for text in texts)


def unescape_formulas(column: pl.Series) -> pl.Series:
    """Return a text column as it was before `escape_formulas`."""
    return column.str.replace(r"^'(['=+\-@\t\r])", "$1")


def restore_known(column: pl.Series, known: pl.Series) -> pl.Series:
    """Return a text column in which what `escape_formulas` changed is as before, where known.

    known: the texts that may be meant. A column that is escaped as a whole, and gives known texts
    alone where it was changed, is taken back. In any other a cell that is known stays as it is,
    also where it begins with an apostrophe, and so does one that is unknown either way.
    """
    before = unescape_formulas(column)
    changed = column != before
    found = before.is_in(known.implode())
    raw = column.str.contains(_FORMULA) & column.cast(pl.Float64, strict=False).is_null() & ~changed
    if not raw.any() and found.filter(changed).all():
        return before
    meant = found & ~column.is_in(known.implode())
    return before.zip_with(meant.fill_null(value=False), column)
