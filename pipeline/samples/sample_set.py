"""What reading a dataset gives, and the listing that each format makes before a file is opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.tables import OBJECTS, REJECTS, SOURCE_IMAGES, STAMPS, Schema, empty

STAGE = "samples"

CATEGORIES: Schema = {  # how annotations and predictions name the categories
    "source": pl.Int64(),  # which of the annotation files, from 0
    "category_id": pl.String(),  # as written in that file
    "category": pl.String(),
    "asked": pl.Boolean(),  # whether the audit's `categories` keep it
}
IMAGES: Schema = {  # the images that a dataset's own files name
    "path": pl.String(),  # posix, relative to the dataset's root
    "category": pl.String(),
    "split": pl.String(),
    "stated_width": pl.Int64(),  # pixels, as an annotation file says; null where none does
    "stated_height": pl.Int64(),
}
OBJECT_KEYS: Schema = {"path": pl.String(), "annotation_id": pl.String()}


@dataclass(frozen=True)
class SampleSet:
    """A dataset as tables.

    samples: the `samples` table; in an object audit the objects and the images that hold them.
    rejects: the `rejects` table. objects and categories: the ground truth of a detection dataset,
    or the detections used in its place; empty for other datasets. source_images: every name
    under which predictions may speak of an image; empty without true boxes. columns: sample_id
    and, as text, category, split, the further columns of a table and what is known of objects.
    counts: what was read, reused, left out and why. notes: what the reader of the report should
    know of the dataset's own files. stamps: STAMPS of the files that could be read.
    """

    samples: pl.DataFrame
    rejects: pl.DataFrame
    objects: pl.DataFrame
    source_images: pl.DataFrame
    categories: pl.DataFrame
    columns: pl.DataFrame
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    stamps: pl.DataFrame = field(default_factory=lambda: empty(STAMPS))


@dataclass(frozen=True)
class Listing:
    """What the files of a dataset say, before any image is opened: one per format."""

    images: pl.DataFrame  # IMAGES, one row a path, sorted
    rejects: pl.DataFrame
    counts: Mapping[str, int]
    extra: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"path": pl.String()}))
    objects: pl.DataFrame = field(default_factory=lambda: empty(OBJECTS))
    source_images: pl.DataFrame = field(default_factory=lambda: empty(SOURCE_IMAGES))
    categories: pl.DataFrame = field(default_factory=lambda: empty(CATEGORIES))
    # path, annotation_id and, as text, what is known of objects beyond their box
    object_extra: pl.DataFrame = field(default_factory=lambda: empty(OBJECT_KEYS))
    normalized: bool = False  # whether boxes are in shares of their image's width and height
    link_roots: tuple[Path, ...] = ()  # folders that the files name, into which links may lead
    notes: tuple[str, ...] = ()  # for the reader of the report


def make_rejects(rows: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """Make `rejects` of (path, reason) pairs; bytes of a path that are no text are escaped."""
    data = [
        (path.encode("utf-8", "backslashreplace").decode("utf-8"), STAGE, reason)
        for path, reason in rows
    ]
    return pl.DataFrame(data, schema=dict(REJECTS), orient="row")


def reject_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Make `rejects` of a frame of two columns: path and reason."""
    rows = rows.rename(dict(zip(rows.columns, ["path", "reason"], strict=True)))
    return rows.select("path", pl.lit(STAGE).alias("stage"), "reason")
