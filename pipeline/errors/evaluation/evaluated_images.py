"""All that a detector says of all images that were read: also of those without an object."""

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.evaluation.evaluated_set import Evaluation
from pipeline.errors.evaluation.system_detections import place_detections
from pipeline.errors.match_status import match_detections


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
    detections: as `read_system` returns them. samples: the scored ones. The rest: as in
    `score_system`.
    """
    asked = categories.filter(pl.col("asked"))
    own = objects.join(asked, on=["source", "category"], how="semi", maintain_order="left")
    paths = _choose_paths(samples, own, source_images)
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    truth = own.join(paths, on="path", how="semi").sort(
        "path", number, "annotation_id", nulls_last=True
    )
    kept = place_detections(
        system,
        detections,
        paths,
        sizes=samples,
        source_images=source_images,
        categories=categories,
    )
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
