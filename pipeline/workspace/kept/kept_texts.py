"""The text that was last read in the images of a workspace."""

from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.tables import TEXTS
from pipeline.workspace.manifests import TextsManifest
from pipeline.workspace.shards import read_rows
from pipeline.workspace.store import Store


def read_kept_texts(store: Store) -> tuple[pl.DataFrame, str]:
    """Return TEXTS, rows of nulls included, and the reader_id of what read them.

    Raises StoreError when no text was read here.
    """
    manifest = TextsManifest.find(store.folder)
    if manifest is None:
        raise StoreError(
            f"{store.folder}: no text was read here yet; use an attribute that is measured of "
            "text, such as image/text, and run `weakspot embed`"
        )
    return read_stored_texts(store.locate_texts(manifest.reader_id)), manifest.reader_id


def read_stored_texts(folder: Path) -> pl.DataFrame:
    """Return the TEXTS of all shards in `folder`, rows of nulls included, by image and place.

    Raises StoreError when a shard cannot be read.
    """
    texts = read_rows(folder, TEXTS, table="texts")
    return texts.sort("content_key", "y", "x", "text")


def read_text_lines(store: Store) -> pl.DataFrame:
    """Return path, content_key, text, score and box of every line in the images last read."""
    texts, _ = read_kept_texts(store)
    whole = store.read_samples().filter(pl.col("parent_id").is_null())
    lines = texts.drop_nulls("text").join(
        whole.select("content_key", "path"), on="content_key", how="inner"
    )
    return lines.select("path", *texts.columns).sort("path", "y", "x", "text")
