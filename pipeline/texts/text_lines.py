"""Images -> texts: one row for each line, and a row of nulls for an image without any."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from pipeline.images.decode import load_image
from pipeline.images.image_pass import ImageBlock, Load, map_images
from pipeline.tables import TEXTS
from pipeline.texts.reader import TextReader

STAGE = "texts"


def read_texts(
    images: pl.DataFrame,
    *,
    root: Path,
    reader: TextReader,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], None] | None = None,
    load: Load = load_image,
) -> ImageBlock:
    """Read the text in the images of one block.

    images: content_key and path, relative to `root`. progress: called with 1 after each image. The
    rows are TEXTS, sorted by content key and position. An image that cannot be used becomes rows
    of `rejects`, and the others are still processed.
    """
    block = map_images(
        images, reader.read, schema=TEXTS,
        root=root, stage=STAGE, pool=pool, progress=progress, load=load,
    )  # fmt: skip
    return dataclasses.replace(block, rows=_sort(block.rows))


def search_texts(texts: pl.DataFrame, samples: pl.DataFrame, words: Sequence[str]) -> pl.DataFrame:
    """Return path, text and score of the lines with a word, of images that hold all the words.

    texts: TEXTS. samples: the samples table. The words may be in different lines of an image; upper
    and lower case are the same. Sorted by path and position.
    """
    whole = samples.filter(pl.col("parent_id").is_null()).select("content_key", "path")
    lines = texts.drop_nulls("text").join(whole, on="content_key", how="inner")
    text = pl.col("text").str.to_lowercase()
    contained = [text.str.contains(word.lower(), literal=True) for word in words]
    held = [one.any().over("path") for one in contained]
    found = lines.filter(pl.all_horizontal(*held) & pl.any_horizontal(*contained))
    return found.sort("path", "y", "x", "text").select("path", "text", "score")


def _sort(texts: pl.DataFrame) -> pl.DataFrame:
    return texts.sort("content_key", "y", "x", "text")
