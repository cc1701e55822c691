"""The text that was last read in the images of a workspace."""

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.images.image_pass import read_found
from pipeline.tables import TEXTS
from pipeline.workspace.manifests import TextsManifest
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
    return read_texts_by(store, manifest.reader_id), manifest.reader_id


def read_texts_by(store: Store, reader_id: str) -> pl.DataFrame:
    """Return the TEXTS of one reader, rows of nulls included, by image and place."""
    texts = read_found(store.locate_texts(reader_id), TEXTS, table="texts")
    return texts.sort("content_key", "y", "x", "text")


def read_text_lines(store: Store) -> pl.DataFrame:
    """Return path, content_key, text, score and box of every line in the images last read."""
    texts, _ = read_kept_texts(store)
    whole = store.read_samples().filter(pl.col("parent_id").is_null())
    lines = texts.drop_nulls("text").join(
        whole.select("content_key", "path"), on="content_key", how="inner"
    )
    return lines.select("path", *texts.columns).sort("path", "y", "x", "text")
