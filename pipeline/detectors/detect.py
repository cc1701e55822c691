"""Images -> detections: one row for what a detector sees, and a memory of where it saw nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from pipeline.detectors.detector import Detector
from pipeline.images.decode import load_image
from pipeline.images.image_pass import look_at_images, read_found
from pipeline.tables import DETECTIONS

STAGE = "detect"


@dataclass(frozen=True)
class DetectedBlock:
    """DETECTIONS and `rejects` of one block of images, sorted by content key and falling score.

    detections: an image in which nothing is seen has one row of nulls, so that it counts as done.
    broken: content_key and reason of rejects that will never be usable.
    """

    detections: pl.DataFrame
    rejects: pl.DataFrame
    broken: pl.DataFrame


def detect_block(
    images: pl.DataFrame,
    *,
    root: Path,
    detector: Detector,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], None] | None = None,
    load: Callable[[Path], Image.Image] = load_image,
) -> DetectedBlock:
    """Run a detector on the images of one block.

    images: content_key and path, relative to `root`; other columns are ignored and a content key
    is used once. progress: told after each image that one more is done. An image that cannot be
    used becomes rows of `rejects`, and the rest goes on.
    """
    seen = look_at_images(
        images, detector.detect, root=root, stage=STAGE, pool=pool, progress=progress, load=load
    )
    detections = seen.tabulate(DETECTIONS)
    return DetectedBlock(detections, seen.rejects, seen.broken)


def read_detections(folder: Path) -> pl.DataFrame:
    """Return the DETECTIONS of all shards in `folder`, rows of nulls included, sorted by image.

    Raises StoreError when a shard cannot be read.
    """
    frame = read_found(folder, DETECTIONS, table="detections")
    return frame.sort("content_key", pl.col("score").neg(), "category", "x", "y", "w", "h")
