"""All that a detector says of all images that were read: also of those without an object."""

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.evaluation.evaluated_set import Evaluation
from pipeline.errors.match_status import match_detections
from pipeline.files.yolo_labels import scale_boxes
from pipeline.tables import BOX


def match_all_images(
    system: System,
    detections: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    objects: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
) -> Evaluation:
    """Match detections in the images of the samples and in those without an object to sample.

    An audit of objects has no samples in the latter, but what is detected there is false.
    detections: SCORED_DETECTIONS. samples: the scored ones. The others: as `score_system` has them.
    """
    asked = categories.filter(pl.col("asked"))
    own = objects.join(asked, on=["source", "category"], how="semi", maintain_order="left")
    paths = _choose_paths(samples, own, source_images)
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    truth = own.join(paths, on="path", how="semi").sort(
        "path", number, "annotation_id", nulls_last=True
    )
    named = detections.join(source_images, on=["source", "image_id"], maintain_order="left").join(
        asked, on=["source", "category_id"], maintain_order="left"
    )
    kept = named.join(paths, on="path", how="semi", maintain_order="left")
    if system.min_score is not None:
        kept = kept.filter(pl.col("score") >= system.min_score)
    if system.format == "yolo-detections":
        kept = _scale(kept, samples)
    made = match_detections(
        truth, kept, samples, iou=system.iou, any_category=system.match == "any-category"
    )
    columns = [*truth.columns, "sample_id"]
    return Evaluation(made.detections, made.objects.select(columns))


def _choose_paths(
    samples: pl.DataFrame, objects: pl.DataFrame, source_images: pl.DataFrame
) -> pl.DataFrame:
    """Return the paths of the images to evaluate.

    Images are read in the order of their paths. Where objects lie beyond the last sample, not all
    were read (`--limit`), and images beyond it are left out.
    """
    own = samples.select("path").unique()
    if samples["parent_id"].null_count() == samples.height:  # whole images: all are samples
        return own
    counted = objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    free = source_images.select("path").unique().join(counted, on="path", how="anti")
    last = own["path"].max()
    if (counted["path"] > last).any():
        free = free.filter(pl.col("path") <= last)
    return pl.concat([own, free]).unique()


def _scale(detections: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Bring boxes in shares to pixels; in images of unknown size they become null."""
    here = detections.join(samples, on="path", how="semi", maintain_order="left")
    other = detections.join(samples, on="path", how="anti", maintain_order="left")
    unknown = other.with_columns(pl.lit(None, dtype=pl.Float64).alias(side) for side in BOX)
    return pl.concat([scale_boxes(here, samples), unknown])
