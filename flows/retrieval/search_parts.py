"""Search in the windows of images instead of the samples: which part of which image."""

from pathlib import Path

import polars as pl

from flows.retrieval.search_session import SearchSession
from flows.windows.embed_windows import name_window_vectors, read_windows
from pipeline.embeddings.card import EncoderCard
from pipeline.exceptions import ConfigError, StoreError
from pipeline.tables import SAMPLES, check
from pipeline.workspace.detected_images import find_known_images
from pipeline.workspace.manifests import SamplesManifest
from pipeline.workspace.scans.scan_store import open_scan
from pipeline.workspace.store import Store, find_store

_WINDOW = "window"  # the category of a part


def open_parts(workspace: Path, *, encoder: str | None = None) -> SearchSession:
    """Open a workspace to search the windows of its images; all of one encoder, whatever the rule.

    encoder: how an encoder_id begins, where windows of several are kept. Raises StoreError where no
    window was embedded, ConfigError for an encoder that is not there.
    """
    store = find_store(workspace)
    encoder_id = _choose_encoder(store, encoder)
    path = store.embeddings / encoder_id / "encoder.json"
    if not path.exists():
        raise StoreError(f"{path}: not there; `weakspot embed` writes it again")
    card = EncoderCard.from_json(path.read_text(encoding="utf-8"), source=str(path))
    scan = open_scan(store, name_window_vectors(encoder_id))
    windows = read_windows(store)
    rows = windows.with_columns(scan.find_rows(windows["content_key"]).alias("row"))
    parts = _place_parts(rows.drop_nulls("row"), _list_images(store))
    if parts.is_empty():
        raise StoreError(f"{workspace}: none of its windows is of an image of the dataset as it is")
    root = Path(SamplesManifest.read(workspace).root or ".")
    return SearchSession(store, scan, card, parts, parts.clear(), root, of_parts=True)


def _place_parts(windows: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Return SAMPLES and `row`: the windows as objects of the images that they are parts of."""
    whole = images.rename({"sample_id": "parent_id", "content_key": "image_key"}).drop(
        "x", "y", "w", "h", "category", "annotation_id"
    )
    parts = windows.join(whole, on="image_key", how="inner")
    named = parts.with_columns(
        pl.concat_str("parent_id", pl.lit(":"), "content_key").alias("sample_id"),
        pl.lit(_WINDOW).alias("category"),
        pl.col("content_key").str.slice(0, 8).alias("annotation_id"),
    )
    frame = check(named.select(list(SAMPLES)), SAMPLES, table="windows as samples")
    return frame.with_columns(named["row"]).sort("sample_id")


def _list_images(store: Store) -> pl.DataFrame:
    """Return the whole images of the dataset, also those in which a detector found nothing."""
    samples = store.read_samples()
    known = find_known_images(store)
    more = samples.clear() if known is None else known.select(samples.columns)
    images = pl.concat([samples.filter(pl.col("parent_id").is_null()), more])
    return images.unique("sample_id").drop("parent_id")


def _choose_encoder(store: Store, asked: str | None) -> str:
    suffix = name_window_vectors("")
    found = {path.parent.name for path in store.embeddings.glob(f"*{suffix}/*.parquet")}
    there = sorted(name.removesuffix(suffix) for name in found)
    if not there:
        raise StoreError(
            f"{store.folder}: no windows are kept here; `weakspot detect AUDIT.toml --detector "
            "patches` embeds them"
        )
    chosen = [name for name in there if asked is None or name.startswith(asked)]
    if len(chosen) != 1:
        listed = ", ".join(there)
        raise ConfigError(f"--encoder {asked or ''}: names {len(chosen)} encoders of {listed}")
    return chosen[0]
