"""The detections of a system: read and numbered, and those that count brought to their images."""

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.results_file import read_detections
from pipeline.errors.yolo_results import read_yolo_detections
from pipeline.files.yolo_labels import scale_boxes
from pipeline.tables import BOX


def read_system_detections(system: System) -> pl.DataFrame:
    """Read all files of a detector as SCORED_DETECTIONS and annotation_id.

    That is "d" and the position over all files, from 0: no number that a true object could have.
    Raises PredictionsError naming the records that cannot be used.
    """
    read = read_yolo_detections if system.format == "yolo-detections" else read_detections
    files = enumerate(system.predictions)
    detections = pl.concat([read(path, source=source) for source, path in files])
    number = pl.int_range(pl.len()).cast(pl.String)
    return detections.with_columns(pl.concat_str(pl.lit("d"), number).alias("annotation_id"))


def place_detections(
    system: System,
    detections: pl.DataFrame,
    paths: pl.DataFrame,
    *,
    sizes: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
) -> pl.DataFrame:
    """Return the detections that count in some images, with path and category, boxes in pixels.

    detections: as `read_system_detections` returns them. paths: of the images. sizes: path, width
    and height of those whose size is known; boxes in shares of others become null.
    """
    asked = categories.filter(pl.col("asked"))
    named = detections.join(source_images, on=["source", "image_id"], maintain_order="left").join(
        asked, on=["source", "category_id"], maintain_order="left"
    )
    kept = named.join(paths, on="path", how="semi", maintain_order="left")
    if system.min_score is not None:
        kept = kept.filter(pl.col("score") >= system.min_score)
    if system.format != "yolo-detections":
        return kept
    here = kept.join(sizes, on="path", how="semi", maintain_order="left")
    other = kept.join(sizes, on="path", how="anti", maintain_order="left")
    unknown = other.with_columns(pl.lit(None, dtype=pl.Float64).alias(side) for side in BOX)
    return pl.concat([scale_boxes(here, sizes), unknown])
