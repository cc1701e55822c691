"""Files that are written whole or not at all: under a temporary name, then renamed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.files.remote_path import is_remote
from pipeline.files.sealed_parquet import ChecksumError, read_sealed_bytes, write_sealed_bytes

_PARTIAL = ".partial"


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to, and rename it to `path` at the end.

    A reader never gets a half-written file. When the block raises, the temporary file is removed
    and `path` stays as it was.
    """
    partial = path.with_name(path.name + _PARTIAL)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> Path:
    """Write `text` to `path` as UTF-8, whole or not at all, folders included; return the path."""
    return write_bytes(text.encode(), path)


def write_bytes(data: bytes, path: Path) -> Path:
    """Write `data` to `path`, whole or not at all, folders included; return the path.

    The bytes are on disk before the file gets its name: after a power cut it is the old or the new
    one, never an empty one. On other storage an object is there when all of it is.
    """
    if is_remote(path):
        path.write_bytes(data)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as partial, partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return path


def write_parquet(frame: pl.DataFrame, path: Path) -> Path:
    """Write `frame` to `path` as Parquet with its checksum, folders included; return the path.

    Whole or not at all, as `write_bytes`.
    """
    return write_bytes(write_sealed_bytes(frame), path)


def read_parquet(path: Path) -> pl.DataFrame:
    """Return a Parquet file of a workspace; raises StoreError when it is damaged or not there."""
    try:
        return read_sealed_bytes(path.read_bytes())
    except (
        pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ChecksumError,
    ) as error:  # fmt: skip
        reason = str(error).split("\n")[0]
        raise StoreError(
            f"{path}: cannot be read ({reason}); remove it and run `weakspot run` again"
        ) from None


@contextlib.contextmanager
def explain_bad_shards(folder: Path) -> Iterator[None]:
    """Turn what Polars raises on a shard of `folder` that cannot be read into StoreError."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).split("\n")[0]
        raise StoreError(f"{folder}: a shard cannot be read ({reason}); remove it") from None


def remove_partial(folder: Path) -> int:
    """Remove what a killed run left half written under `folder`; return how many files."""
    partial = sorted(folder.rglob(f"*{_PARTIAL}"))
    for path in partial:
        path.unlink(missing_ok=True)
    return len(partial)
