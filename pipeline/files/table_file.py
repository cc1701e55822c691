"""CSV and Parquet files of a user, read as frames that keep their row numbers."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import polars as pl

from pipeline.exceptions import WeakspotError
from pipeline.files.free_memory import find_free_memory
from pipeline.files.remote_path import is_remote

SHOWN_ROWS = 20
_COPIES = 3  # of a table while it is read and joined
_BYTES = {pl.String: 40, pl.Boolean: 1}  # of a cell; a text has 16 beside its characters
_EXACT = 2**53  # whole numbers below it are exact as floats


def read_table(path: Path, *, error: type[WeakspotError]) -> pl.DataFrame:
    """Read a CSV file, every column as text and empty cells as null, or a Parquet file.

    Columns of a Parquet file that hold lists, structs or bytes are left out: they are no values.
    Raises `error` naming the file and what is wrong with it.
    """
    if not path.is_file():
        raise error(f"{path}: there is no such file")
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            refuse_too_large(path, error=error)
            table = pl.read_parquet(_open(path))
            return table.drop(name for name, kind in table.schema.items() if not _is_value(kind))
        if suffix in (".csv", ".tsv", ".txt"):
            separator = "\t" if suffix == ".tsv" else ","
            return pl.read_csv(_open(path), separator=separator, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise error(f"{path}: the file is empty; expected a header and rows") from None
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as reason:
        first = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        raise error(f"{path}: cannot be read as {suffix[1:]}: {first}") from None
    raise error(f"{path}: expected a .csv, .tsv or .parquet file")


def refuse_too_large(path: Path, *, error: type[WeakspotError], memory: int | None = None) -> None:
    """Raise `error` for a Parquet file whose table does not fit in memory.

    Its footer alone is read: a few kilobytes can hold fifty million rows. memory: bytes that are
    free; those of this machine when None, and nothing is refused where they are not known.
    """
    free = find_free_memory() if memory is None else memory
    source = _open(path)
    schema = pl.read_parquet_schema(source)
    rows = int(pl.scan_parquet(source).select(pl.len()).collect().item())
    needed = rows * sum(_BYTES.get(kind.base_type(), 8) for kind in schema.values()) * _COPIES
    if free is not None and needed > free:
        raise error(
            f"{path}: its {rows:,} rows take about {needed / 1e9:,.1f} GB of memory, and "
            f"{free / 1e9:,.1f} GB are free; leave out rows and columns that are not needed"
        )


def _open(path: Path) -> Path | BytesIO:
    """Return a local file, or the bytes of one on other storage, which Polars reads its own way."""
    return BytesIO(path.read_bytes()) if is_remote(path) else path


def list_rows(rows: Sequence[int]) -> str:
    """Return row numbers in words, from 1 below the header: the first 20 and how many more."""
    shown = ", ".join(str(row + 1) for row in rows[:SHOWN_ROWS])
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


def fold_spelling(cell: str) -> str:
    """Return a cell without case, spaces, dashes and underscores; a number as it is."""
    if not any(letter.isalpha() for letter in cell):
        return cell
    return "".join(letter for letter in cell.casefold() if letter not in " -_\t\N{NO-BREAK SPACE}")


def to_text(column: pl.Series) -> pl.Series:
    """Return a column as text; 1.0 in a column of whole floats becomes "1"."""
    if column.dtype.is_float():
        values = column.drop_nulls()
        whole = values.is_finite() & (values == values.round()) & (values.abs() < _EXACT)
        if whole.all():
            column = column.cast(pl.Int64)
    return column.cast(pl.String)


def _is_value(kind: pl.DataType) -> bool:
    return not kind.is_nested() and kind not in (pl.Binary, pl.Object)
