"""What a detector found in the images of a workspace, kept by detector and content."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.tables import DETECTIONS, STAMP
from pipeline.workspace.shards import read_rows
from pipeline.workspace.store import Store


@dataclass(frozen=True)
class DetectedImages:
    """What a detector finds in a dataset.

    detections: path, category, x, y, w, h, score. images: samples rows of the images that can be
    read. rejects: those that cannot. failed: rejects of what could be read and not be searched.
    ran_on: in how many images it was run now. dropped: how many damaged shards were removed and
    made again.
    """

    detections: pl.DataFrame
    images: pl.DataFrame
    rejects: pl.DataFrame
    failed: pl.DataFrame
    ran_on: int
    dropped: int = 0


def locate_detections(store: Store, detector_id: str) -> Path:
    """Return the folder of what one detector found."""
    return store.shard_root / "detections" / detector_id


def read_stored_detections(folder: Path) -> pl.DataFrame:
    """Return the DETECTIONS of all shards in `folder`, rows of nulls included, sorted by image.

    Raises StoreError when a shard cannot be read.
    """
    frame = read_rows(folder, DETECTIONS, table="detections")
    return frame.sort("content_key", pl.col("score").neg(), "category", "x", "y", "w", "h")


def find_known_images(store: Store) -> pl.DataFrame | None:
    """Return samples rows with STAMP of all images last read for a detector, None without any.

    They are kept beside the samples, which hold no image without a detection: such an image need
    not be hashed again either.
    """
    file = _locate_images(store)
    if not file.exists():
        return None
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in STAMP.items()]
    images = read_parquet(file)
    return images.with_columns(one for one in missing if one.meta.output_name() not in images)


def put_known_images(images: pl.DataFrame, stamps: pl.DataFrame, store: Store) -> None:
    """Keep samples rows of all images that can be read, and their STAMPS."""
    write_parquet(images.join(stamps, on="path", how="left"), _locate_images(store))


def join_detections(images: pl.DataFrame, found: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the detections of every path whose content they were made in.

    images: path and content_key. found: DETECTIONS, rows of nulls included.
    """
    there = pl.concat(found).drop_nulls("category")
    placed = images.select("path", "content_key").join(there, on="content_key", how="inner")
    return placed.drop("content_key").sort(pl.all())


def _locate_images(store: Store) -> Path:
    return store.dataset / "images.parquet"
