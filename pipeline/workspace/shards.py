"""Vectors and measurements on disk: content-addressed Parquet shards, whole or not at all."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.arrays import Vectors
from pipeline.exceptions import EncoderError, EncoderMismatchError
from pipeline.files.whole_files import explain_bad_shards
from pipeline.images.image_pass import list_rejects
from pipeline.tables import BROKEN, MEASUREMENTS, Schema, check, empty
from pipeline.workspace.integrity.sealed_shards import list_sound, write_sealed


def write_vectors(vectors: Vectors, folder: Path) -> Path | None:
    """Write one shard of unit vectors as float16 rows (key, vector); None when there are none.

    The shard's name begins with the hash of its keys, so writing the same keys again replaces it.
    Raises EncoderError for vectors that are not finite.
    """
    if len(vectors.keys) == 0:
        return None
    if not np.isfinite(vectors.values).all():
        raise EncoderError(f"encoder {vectors.encoder_id} gave vectors that are not finite")
    width = vectors.values.shape[1]
    column = pl.Series("vector", vectors.values.astype(np.float32)).cast(
        pl.Array(pl.Float16, width)
    )
    frame = pl.DataFrame({"content_key": vectors.keys.alias("content_key"), "vector": column})
    return write_sealed(frame, folder / vectors.encoder_id, name=_shard_name(vectors.keys))


def stored_keys(folder: Path) -> pl.Series:
    """Return the sorted distinct content keys of all shards in `folder`."""
    shards = list_sound(folder)
    if not shards:
        return pl.Series("content_key", [], dtype=pl.String)
    with _explain_bad_vectors(folder):
        keys = pl.scan_parquet(shards).select("content_key").unique().collect()
    return keys["content_key"].sort()


def read_vectors(keys: Iterable[str], folder: Path, *, encoder_id: str) -> Vectors:
    """Return the vectors of `keys` that are stored, in the order of `keys`, unit length again.

    Raises EncoderMismatchError when shards of one encoder differ in width, StoreError when a
    shard cannot be read.
    """
    wanted = pl.DataFrame({"content_key": pl.Series(list(keys), dtype=pl.String)})
    shards = [] if wanted.is_empty() else list_sound(folder / encoder_id)
    if not shards:
        return Vectors(wanted["content_key"].clear(), np.zeros((0, 0), np.float32), encoder_id)
    with _explain_bad_vectors(folder / encoder_id):
        found = (
            pl.scan_parquet(shards)
            .join(wanted.lazy().unique(), on="content_key", how="semi")
            .unique("content_key", keep="any")
            .collect()
        )
    rows = wanted.join(found, on="content_key", how="inner", maintain_order="left")
    values = rows["vector"].to_numpy().astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return Vectors(rows["content_key"], values, encoder_id)


def iterate_vectors(folder: Path, *, encoder_id: str) -> Iterator[Vectors]:
    """Yield the stored vectors shard by shard, unit length again, each key once.

    For vectors too wide to be in memory all at once. Errors as for `read_vectors`.
    """
    seen = pl.Series("content_key", [], dtype=pl.String)
    for shard in list_sound(folder / encoder_id):
        with _explain_bad_vectors(folder / encoder_id):
            frame = pl.read_parquet(shard)
        frame = frame.filter(~pl.col("content_key").is_in(seen.implode()))
        seen = pl.concat([seen, frame["content_key"]])
        values = frame["vector"].to_numpy().astype(np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        yield Vectors(frame["content_key"], values, encoder_id)


def write_shard(frame: pl.DataFrame, folder: Path) -> Path | None:
    """Write rows with a content_key as one shard named by their keys; None when there are none."""
    if frame.is_empty():
        return None
    return write_sealed(frame, folder, name=_shard_name(frame["content_key"]))


def read_broken(folder: Path) -> pl.DataFrame:
    """Return content_key and reason of what was found impossible to decode, each key once."""
    shards = list_sound(folder)
    if not shards:
        return empty(BROKEN)
    with _explain_bad_vectors(folder):
        frame = pl.read_parquet(shards).unique("content_key").sort("content_key")
    return check(frame, BROKEN, table="broken")


def read_rows(folder: Path, schema: Schema, *, table: str) -> pl.DataFrame:
    """Return the rows of earlier passes, kept as shards in `folder`; each row once, nulls included.

    Two shards may hold the same image, each with all of its rows. Raises StoreError when a shard
    cannot be read.
    """
    shards = list_sound(folder)
    if not shards:
        return empty(schema)
    with explain_bad_shards(folder):
        frame = pl.read_parquet(shards)
    return check(frame.unique(), schema, table=table)


def list_broken(samples: pl.DataFrame, folder: Path, *, stage: str) -> pl.DataFrame:
    """Return the rejects of every path whose content is known, in `folder`, to be broken."""
    known = read_broken(folder).select("content_key", "reason")
    return list_rejects(samples, dict(known.iter_rows()), stage=stage)


def select_missing(samples: pl.DataFrame, *done: pl.Series) -> pl.DataFrame:
    """Return the samples of other content, each content once, ordered by path and content.

    done: content keys that need not be made again.
    """
    keys = pl.DataFrame({"content_key": pl.concat(done)}).unique()
    rows = samples.join(keys, on="content_key", how="anti")
    return rows.sort("path", "content_key").unique("content_key", keep="first", maintain_order=True)


def read_measurements(folder: Path) -> pl.DataFrame:
    """Return the `measurements` table of all shards in `folder`, each value once, sorted."""
    shards = list_sound(folder)
    if not shards:
        return empty(MEASUREMENTS)
    keys = ["content_key", "measure", "measure_version"]
    with _explain_bad_vectors(folder):
        return pl.read_parquet(shards).unique(keys, keep="any").sort(keys)


def read_measure(folder: Path, measure: str, *, version: str) -> pl.DataFrame:
    """Return the rows of one measure in `measurements`, as `read_measurements` returns all."""
    shards = list_sound(folder)
    if not shards:
        return empty(MEASUREMENTS)
    right = (pl.col("measure") == measure) & (pl.col("measure_version") == version)
    with _explain_bad_vectors(folder):
        rows = pl.scan_parquet(shards).filter(right).collect()
    return rows.unique("content_key", keep="any").sort("content_key")


def measured_keys(folder: Path, *, measure_version: str) -> pl.Series:
    """Return the sorted distinct content keys of all shards in `folder` that were measured so."""
    shards = list_sound(folder)
    if not shards:
        return pl.Series("content_key", [], dtype=pl.String)
    with _explain_bad_vectors(folder):
        rows = pl.scan_parquet(shards).filter(pl.col("measure_version") == measure_version)
        return rows.select("content_key").unique().collect()["content_key"].sort()


@contextlib.contextmanager
def _explain_bad_vectors(folder: Path) -> Iterator[None]:
    """Turn what Polars raises on bad shards of vectors and measures into our errors."""
    with explain_bad_shards(folder):
        try:
            yield
        except pl.exceptions.SchemaError as error:
            raise EncoderMismatchError(f"{folder}: shards differ in width: {error}") from None


def _shard_name(keys: pl.Series) -> str:
    digest = hashlib.sha256("\n".join(keys.unique().sort().to_list()).encode())
    return digest.hexdigest()[:24]
