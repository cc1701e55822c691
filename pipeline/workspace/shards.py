"""Vectors and measurements on disk: content-addressed Parquet shards, whole or not at all."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.exceptions import EncoderMismatchError, StoreError
from pipeline.tables import BROKEN, MEASUREMENTS, Vectors, check, empty

PARTIAL = ".partial"


def write_parquet(frame: pl.DataFrame, path: Path) -> Path:
    """Write `frame` to `path` under a temporary name, then rename; a reader never sees a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    frame.write_parquet(partial, statistics=False)
    partial.replace(path)
    return path


def remove_partial(folder: Path) -> int:
    """Remove what a killed run left half written under `folder`; return how many files."""
    partial = sorted(folder.rglob(f"*{PARTIAL}"))
    for path in partial:
        path.unlink(missing_ok=True)
    return len(partial)


def write_vectors(vectors: Vectors, folder: Path) -> Path | None:
    """Write one shard of unit vectors as float16 rows (key, vector); None when there are none.

    The shard's name is the hash of its keys, so writing the same keys again replaces it.
    """
    if len(vectors.keys) == 0:
        return None
    width = vectors.values.shape[1]
    column = pl.Series("vector", vectors.values.astype(np.float32)).cast(
        pl.Array(pl.Float16, width)
    )
    frame = pl.DataFrame({"content_key": vectors.keys.alias("content_key"), "vector": column})
    return write_parquet(frame, folder / vectors.encoder_id / _shard_name(vectors.keys))


def stored_keys(folder: Path) -> pl.Series:
    """Return the sorted distinct content keys of all shards in `folder`."""
    if not has_shards(folder):
        return pl.Series("content_key", [], dtype=pl.String)
    with _told_plainly(folder):
        keys = pl.scan_parquet(folder / "*.parquet").select("content_key").unique().collect()
    return keys["content_key"].sort()


def read_vectors(keys: Iterable[str], folder: Path, *, encoder_id: str) -> Vectors:
    """Return the vectors of `keys` that are stored, in the order of `keys`, unit length again.

    Raises EncoderMismatchError when shards of one encoder differ in width, StoreError when a
    shard cannot be read.
    """
    wanted = pl.DataFrame({"content_key": pl.Series(list(keys), dtype=pl.String)})
    shards = folder / encoder_id
    if wanted.is_empty() or not has_shards(shards):
        return Vectors(wanted["content_key"].clear(), np.zeros((0, 0), np.float32), encoder_id)
    with _told_plainly(shards):
        found = (
            pl.scan_parquet(shards / "*.parquet")
            .join(wanted.lazy().unique(), on="content_key", how="semi")
            .unique("content_key", keep="any")
            .collect()
        )
    rows = wanted.join(found, on="content_key", how="inner", maintain_order="left")
    values = rows["vector"].to_numpy().astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return Vectors(rows["content_key"], values, encoder_id)


def write_shard(frame: pl.DataFrame, folder: Path) -> Path | None:
    """Write rows with a content_key as one shard named by their keys; None when there are none."""
    if frame.is_empty():
        return None
    return write_parquet(frame, folder / _shard_name(frame["content_key"]))


def read_broken(folder: Path) -> pl.DataFrame:
    """Return content_key and reason of what was found impossible to decode, each key once."""
    if not has_shards(folder):
        return empty(BROKEN)
    with _told_plainly(folder):
        frame = pl.read_parquet(folder / "*.parquet").unique("content_key").sort("content_key")
    return check(frame, BROKEN, table="broken")


def read_measurements(folder: Path) -> pl.DataFrame:
    """Return the `measurements` table of all shards in `folder`, each value once, sorted."""
    if not has_shards(folder):
        return empty(MEASUREMENTS)
    keys = ["content_key", "measure", "measure_version"]
    with _told_plainly(folder):
        return pl.read_parquet(folder / "*.parquet").unique(keys, keep="any").sort(keys)


def read_kept(path: Path) -> pl.DataFrame:
    """Return a Parquet file of a workspace; raises StoreError when it cannot be read."""
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise StoreError(
            f"{path}: cannot be read ({reason}); remove it and run `weakspot run` again"
        ) from None


def has_shards(folder: Path) -> bool:
    """Tell whether `folder` holds any shard."""
    return folder.is_dir() and any(path.suffix == ".parquet" for path in folder.iterdir())


@contextlib.contextmanager
def _told_plainly(folder: Path) -> Iterator[None]:
    """Turn what Polars raises on bad shards of vectors and measures into our errors."""
    with bad_shards_told(folder):
        try:
            yield
        except pl.exceptions.SchemaError as error:
            raise EncoderMismatchError(f"{folder}: shards differ in width: {error}") from None


@contextlib.contextmanager
def bad_shards_told(folder: Path) -> Iterator[None]:
    """Turn what Polars raises on a shard of `folder` that cannot be read into StoreError."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise StoreError(f"{folder}: a shard cannot be read ({reason}); remove it") from None


def _shard_name(keys: pl.Series) -> str:
    digest = hashlib.sha256("\n".join(keys.unique().sort().to_list()).encode())
    return f"{digest.hexdigest()[:24]}.parquet"
