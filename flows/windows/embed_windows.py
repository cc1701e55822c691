"""Windows of images become vectors, kept like those of samples: each is embedded once.

    workspace/embeddings/ENCODER+windows/   their vectors
    workspace/windows/                      which image and box each belongs to (WINDOWS)

They have a folder of their own so that labels, maps and searches of samples read none of them.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.arrays import Vectors
from pipeline.config.windows import WindowRule
from pipeline.embeddings.card import Encoder
from pipeline.embeddings.embed import EmbeddedBlock, embed_block, open_pool
from pipeline.images.crop import Box
from pipeline.images.image_pass import list_rejects
from pipeline.images.windows import WINDOW_CROP, make_windows
from pipeline.samples.ids import make_object_key
from pipeline.tables import WINDOWS
from pipeline.workspace.shards import (
    read_rows,
    read_vectors,
    stored_keys,
    write_shard,
    write_vectors,
)
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class EmbeddedWindows:
    """The windows of some images, with their vectors.

    windows: WINDOWS, those of one image together, small ones first. vectors: (n, d) float32 of unit
    length, in the same order. rejects: of the images that could not be used. made: how many windows
    were embedded now.
    """

    windows: pl.DataFrame
    vectors: NDArray[np.float32]
    rejects: pl.DataFrame
    made: int


def name_window_vectors(encoder_id: str) -> str:
    """Return the id under which the vectors of an encoder's windows are kept."""
    return f"{encoder_id}+windows"


def embed_windows(
    images: pl.DataFrame,
    rule: WindowRule,
    *,
    root: Path,
    encoder: Encoder,
    store: Store,
    stage: str,
    batch_size: int = 256,
    progress: Callable[[int], None] | None = None,
) -> EmbeddedWindows:
    """Embed the windows of a block of images that have no vector yet, keep them, return all.

    images: samples rows of whole images, at most some hundreds: their vectors are in memory. stage:
    which the rejects name. progress: gets the number of windows embedded since its last call.
    An image that cannot be decoded is noted as broken, so that it is not tried again.
    """
    windows, failed = make_windows(images, rule, make_key=make_window_key)
    named = name_window_vectors(encoder.encoder_id)
    known = stored_keys(store.embeddings / named)
    missing = windows.filter(~pl.col("content_key").is_in(known.implode()))
    paths = images.select(pl.col("content_key").alias("image_key"), "path").unique("image_key")
    made = _embed(
        missing.join(paths, on="image_key", maintain_order="left"),
        root=root, encoder=encoder, batch_size=batch_size, progress=progress,
    )  # fmt: skip
    _keep(made, missing, named, store)
    vectors = _gather(windows, made.vectors, named, store)
    place = {key: row for row, key in enumerate(vectors.keys)}
    usable = windows.filter(pl.col("content_key").is_in(list(place)))
    rows = [place[key] for key in usable["content_key"]]
    reasons = made.rejects.join(paths, on="path").select("image_key", "reason")
    rejects = list_rejects(images, failed | dict(reasons.iter_rows()), stage=stage)
    return EmbeddedWindows(usable, vectors.values[rows], rejects, len(made.vectors.keys))


def make_window_key(image_key: str, box: Box) -> str:
    """Return the content key of a window: that of an object with the same box and no margin."""
    return make_object_key(image_key, box, margin=WINDOW_CROP.margin)


def read_windows(store: Store) -> pl.DataFrame:
    """Return WINDOWS of all windows that were embedded, each once, sorted by content key."""
    frame = read_rows(locate_windows(store), WINDOWS, table="windows")
    return frame.unique("content_key").sort("content_key")


def locate_windows(store: Store) -> Path:
    """Return the folder of the shards that say which window is which."""
    return store.shard_root / "windows"


def _embed(
    missing: pl.DataFrame,
    *,
    root: Path,
    encoder: Encoder,
    batch_size: int,
    progress: Callable[[int], None] | None,
) -> EmbeddedBlock:
    with open_pool() as pool:
        return embed_block(
            missing, root=root, crop=WINDOW_CROP, encoder=encoder, pool=pool,
            batch_size=batch_size, measures=False, progress=progress,
        )  # fmt: skip


def _keep(made: EmbeddedBlock, missing: pl.DataFrame, named: str, store: Store) -> None:
    """Write vectors last: a window with a vector is known in the table too."""
    broken = made.broken.join(missing.select("content_key", "image_key"), on="content_key")
    images = broken.select(pl.col("image_key").alias("content_key"), "reason").unique("content_key")
    write_shard(images.sort("content_key"), store.broken)
    done = missing.filter(pl.col("content_key").is_in(made.vectors.keys.implode()))
    write_shard(done.select(list(WINDOWS)), locate_windows(store))
    write_vectors(dataclasses.replace(made.vectors, encoder_id=named), store.embeddings)


def _gather(windows: pl.DataFrame, made: Vectors, named: str, store: Store) -> Vectors:
    """Return the vectors made now and those kept before, in any order; all as they are kept."""
    before = windows.filter(~pl.col("content_key").is_in(made.keys.implode()))["content_key"]
    kept = read_vectors(before, store.embeddings, encoder_id=named)
    rounded = made.values.astype(np.float16).astype(np.float32)
    rounded /= np.linalg.norm(rounded, axis=1, keepdims=True)
    if len(kept.keys) == 0:
        return Vectors(made.keys, rounded, named)
    values = np.concatenate([rounded.reshape(-1, kept.values.shape[1]), kept.values])
    return Vectors(pl.concat([made.keys, kept.keys]), values, named)
