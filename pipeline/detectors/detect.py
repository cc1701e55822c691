"""Images -> detections: one row for each, and a row of nulls for an image without any."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from pipeline.detectors.detector import Detector
from pipeline.images.decode import load_image
from pipeline.images.image_pass import ImageBlock, Load, map_images
from pipeline.tables import DETECTIONS

STAGE = "detect"


def detect_block(
    images: pl.DataFrame,
    *,
    root: Path,
    detector: Detector,
    pool: ThreadPoolExecutor,
    progress: Callable[[int], None] | None = None,
    load: Load = load_image,
) -> ImageBlock:
    """Run a detector on the images of one block.

    images: content_key and path, relative to `root`. progress: called with 1 after each image. The
    rows are DETECTIONS, sorted by content key and falling score. An image that cannot be used
    becomes rows of `rejects`, and the others are still processed.
    """
    return map_images(
        images, detector.detect, schema=DETECTIONS,
        root=root, stage=STAGE, pool=pool, progress=progress, load=load,
    )  # fmt: skip
