"""Images -> texts: one row for a line of text, and a memory of where nothing could be read."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from pipeline.images.decode import load_image
from pipeline.images.image_pass import look_at_images, read_found
from pipeline.tables import TEXTS
from pipeline.texts.reader import TextReader

STAGE = "texts"


@dataclass(frozen=True)
class TextBlock:
    """TEXTS and `rejects` of one block of images, sorted by content key and place.

    texts: an image in which nothing can be read has one row of nulls, so that it counts as done.
    broken: content_key and reason of rejects that will never be usable.
    """

    texts: pl.DataFrame
    rejects: pl.DataFrame
    broken: pl.DataFrame


def read_texts(
    images: pl.DataFrame,
    *,
    root: Path,
    reader: TextReader,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], None] | None = None,
    load: Callable[[Path], Image.Image] = load_image,
) -> TextBlock:
    """Read the text in the images of one block.

    images: content_key and path, relative to `root`; other columns are ignored and a content key
    is used once. progress: told after each image that one more is done. An image that cannot be
    used becomes rows of `rejects`, and the rest goes on.
    """
    seen = look_at_images(
        images, reader.read, root=root, stage=STAGE, pool=pool, progress=progress, load=load
    )
    texts = seen.tabulate(TEXTS)
    return TextBlock(_sort(texts), seen.rejects, seen.broken)


def stored_texts(folder: Path) -> pl.DataFrame:
    """Return the TEXTS of all shards in `folder`, rows of nulls included, sorted by image.

    Raises StoreError when a shard cannot be read.
    """
    return _sort(read_found(folder, TEXTS, table="texts"))


def search_texts(texts: pl.DataFrame, samples: pl.DataFrame, words: Sequence[str]) -> pl.DataFrame:
    """Return path, text and score of the lines that hold every word, by path and place.

    texts: TEXTS. samples: the samples table. Upper and lower case are the same.
    """
    whole = samples.filter(pl.col("parent_id").is_null()).select("content_key", "path")
    lines = texts.drop_nulls("text").join(whole, on="content_key", how="inner")
    held = [
        pl.col("text").str.to_lowercase().str.contains(word.lower(), literal=True) for word in words
    ]
    found = lines.filter(pl.all_horizontal(pl.lit(True), *held))  # noqa: FBT003 - a literal of an expression
    return found.sort("path", "y", "x", "text").select("path", "text", "score")


def _sort(texts: pl.DataFrame) -> pl.DataFrame:
    return texts.sort("content_key", "y", "x", "text")
