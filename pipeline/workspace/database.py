"""The DuckDB file of a workspace: how it is opened, its tables, and how they change over time."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl

from pipeline.exceptions import StoreError
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


def open_database(path: Path, *, read_only: bool, patience: float) -> Connection:
    """Open the file, waiting `patience` seconds for another process to close it.

    Raises StoreError when it stays locked or is no database.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise StoreError(f"{path}: cannot be opened: {error}") from None
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
