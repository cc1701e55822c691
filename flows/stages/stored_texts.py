"""The text that was read in the images of a workspace: measured, exported and searched."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.exceptions import StoreError
from pipeline.texts.measures import measure_texts
from pipeline.texts.text_lines import search_texts, stored_texts
from pipeline.workspace.store import Store, find_store


def texts_folder(store: Store, reader_id: str) -> Path:
    """Return the folder of what one reader read."""
    return store.folder / "texts" / reader_id


def measure_stored_texts(samples: pl.DataFrame, store: Store) -> tuple[pl.DataFrame, str]:
    """Return `measurements` of the text last read, and the reader_id that is their version."""
    texts, reader_id = _read_stored(store)
    return measure_texts(texts, samples, reader_id=reader_id), reader_id


def export_texts(store: Store) -> pl.DataFrame:
    """Return path, content_key, text, score and box of every line that was last read."""
    texts, _ = _read_stored(store)
    whole = store.read("samples").filter(pl.col("parent_id").is_null())
    lines = texts.drop_nulls("text").join(
        whole.select("content_key", "path"), on="content_key", how="inner"
    )
    return lines.select("path", *texts.columns).sort("path", "y", "x", "text")


def find_texts(workspace: Path, words: Sequence[str]) -> pl.DataFrame:
    """Return path, text and score of the lines in a workspace that hold every word."""
    store = find_store(workspace)
    texts, _ = _read_stored(store)
    return search_texts(texts, store.read("samples"), words)


def _read_stored(store: Store) -> tuple[pl.DataFrame, str]:
    try:
        reader_id: str = store.read_manifest("texts")["reader_id"]
    except StoreError:
        raise StoreError(
            f"{store.folder}: no text was read here yet; use an attribute that is measured of "
            "text, such as image/text, and run `weakspot embed`"
        ) from None
    return stored_texts(texts_folder(store, reader_id)), reader_id
