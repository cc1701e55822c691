"""The DuckDB file of a workspace: how it is opened, its tables, and how they change over time."""

import contextlib
import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl

from pipeline.exceptions import AbsentDatabaseError, DamagedDatabaseError, StoreError
from pipeline.tables import (
    CORRECTED,
    ERRORS,
    FINDINGS,
    LABELS,
    PREDICATES,
    REJECTS,
    RUNS,
    SAMPLES,
    Schema,
)

Connection = duckdb.DuckDBPyConnection
Migration = Callable[[Connection], None]

IN_DATABASE: Mapping[str, Schema] = {
    "samples": SAMPLES,
    "rejects": REJECTS,
    "labels": LABELS,
    "errors": ERRORS,
    "runs": RUNS,
    "findings": FINDINGS,
}
_SQL_TYPES: Mapping[pl.DataType, str] = {
    pl.String(): "VARCHAR",
    pl.Int64(): "BIGINT",
    pl.Float64(): "DOUBLE",
    PREDICATES: 'STRUCT("attribute" VARCHAR, "value" VARCHAR)[]',
    pl.List(PREDICATES): 'STRUCT("attribute" VARCHAR, "value" VARCHAR)[][]',
    CORRECTED["checks_needed"]: 'STRUCT("attribute" VARCHAR, "value" VARCHAR, "n" BIGINT)[]',
}


def _create_tables(connection: Connection) -> None:
    for table, schema in IN_DATABASE.items():
        columns = ", ".join(f'"{name}" {_SQL_TYPES[dtype]}' for name, dtype in schema.items())
        connection.execute(f'CREATE TABLE "{table}" ({columns})')


def _add_sample_limit(connection: Connection) -> None:
    connection.execute("ALTER TABLE runs ADD COLUMN IF NOT EXISTS sample_limit BIGINT")


def _add_corrections(connection: Connection) -> None:
    for name, dtype in CORRECTED.items():
        connection.execute(
            f'ALTER TABLE findings ADD COLUMN IF NOT EXISTS "{name}" {_SQL_TYPES[dtype]}'
        )


# Each takes the database from the version of its position to the next; never edit one, add one.
MIGRATIONS: tuple[Migration, ...] = (_create_tables, _add_sample_limit, _add_corrections)


def add_new_columns(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Return rows of a table with nulls in the columns that an earlier version did not have.

    A database that is only read is not migrated, nor are files.
    """
    new = {name: dtype for name, dtype in schema.items() if name not in frame.columns}
    return frame.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in new.items())


_DAMAGE = ("corrupt", "not a valid duckdb", "could not read enough bytes", "checksum", "fatal")
_LOCKED = ("could not set lock", "another process")
_REMEDY = (
    "`weakspot doctor {folder} --repair` moves it aside and begins a new one: samples, labels and "
    "errors are made again from the dataset and the shards; the record of earlier runs and their "
    "findings are lost, their reports stay"
)


@contextlib.contextmanager
def explain_database_errors(path: Path) -> Iterator[None]:
    """Turn what DuckDB raises on a damaged or absent database or a full disk into our errors.

    Raises DamagedDatabaseError, AbsentDatabaseError where there is no database or none of our
    tables in it, OSError where the disk is full, which a task tries again, and StoreError for other
    failures of reading and writing. Other errors are passed on.
    """
    try:
        yield
    except duckdb.Error as error:
        text = str(error).split("\n")[0]
        if "no space left" in text.lower():
            raise OSError(errno.ENOSPC, "No space left on device", str(path)) from None
        if isinstance(error, duckdb.InternalException | duckdb.FatalException) or any(
            sign in text.lower() for sign in _DAMAGE
        ):
            remedy = _REMEDY.format(folder=path.parent)
            raise DamagedDatabaseError(f"{path}: damaged ({text}); {remedy}") from None
        if not path.exists() or isinstance(error, duckdb.CatalogException):
            raise AbsentDatabaseError(
                f"{path}: not there yet; a run that has just begun makes it, or run "
                "`weakspot run` first"
            ) from None
        if isinstance(error, duckdb.IOException):
            raise StoreError(f"{path}: cannot be opened: {text}") from None
        raise


def open_database(path: Path, *, read_only: bool, patience: float) -> Connection:
    """Open the file, waiting `patience` seconds for another process to close it.

    Raises StoreError when it stays locked, and what DuckDB raises, for `explain_database_errors`.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if not any(sign in str(error).lower() for sign in _LOCKED):
                raise
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{path}: locked by another process for {patience:.0f} seconds; close what has "
                    "it open (a run, a database browser) and try again"
                ) from None
            time.sleep(0.1)


def migrate(connection: Connection, migrations: Sequence[Migration], *, path: Path) -> None:
    """Bring the tables up to date, each step whole or not at all.

    path: named in the StoreError that is raised when a newer version wrote the file.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS meta (version BIGINT)")
    row = connection.execute("SELECT max(version) FROM meta").fetchone()
    version = row[0] if row and row[0] is not None else 0
    if version > len(migrations):
        raise StoreError(
            f"{path}: written by a newer weakspot (version {version}, this one knows "
            f"{len(migrations)}); upgrade weakspot or name another workspace"
        )
    for number, step in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN")
        step(connection)
        connection.execute("DELETE FROM meta")
        connection.execute("INSERT INTO meta VALUES (?)", [number])
        connection.execute("COMMIT")
