"""The database of a workspace read from a copy, so that a run never waits for a reader."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.exceptions import AbsentDatabaseError, StoreError
from pipeline.workspace.store import Store

_PATIENCE = 10.0  # seconds to wait for a moment in which nothing is written
_PAUSE = 0.05


@contextlib.contextmanager
def copy_database(store: Store, *, patience: float = _PATIENCE) -> Iterator[Store]:
    """Yield the store with a private copy of its database, which is removed at the end.

    DuckDB lets no one read beside a writer. A copy of the file needs no lock: it is taken between
    two writes, and taken again where the file changed meanwhile. Raises StoreError when something
    was written all the time.
    """
    place = store.folder if os.access(store.folder, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=place) as folder:
        copy = Path(folder) / "weakspot.duckdb"
        until = time.monotonic() + patience
        while not _copy_quietly(store.database, copy):
            if time.monotonic() > until:
                raise StoreError(
                    f"{store.database}: was written to for {patience:.0f} seconds without a pause; "
                    "try again when the run has ended"
                )
            time.sleep(_PAUSE)
        yield replace(store, database_copy=copy)


def _copy_quietly(database: Path, copy: Path) -> bool:
    """Copy the file and return whether nothing was written to it meanwhile."""
    log = database.with_name(database.name + ".wal")
    before = _describe(database)
    if log.exists():
        return False
    try:
        shutil.copyfile(database, copy)
    except FileNotFoundError:
        raise AbsentDatabaseError(
            f"{database}: not there yet; a run that has just begun makes it, or run "
            "`weakspot run` first"
        ) from None
    return not log.exists() and _describe(database) == before


def _describe(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
