"""All that a detector says of all images that were read: also of those without an object."""

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.evaluation.evaluated_set import Evaluation
from pipeline.errors.evaluation.system_detections import place_detections
from pipeline.errors.match_status import DetectionMatches, match_detections


def add_other_images(
    matches: DetectionMatches,
    system: System,
    detections: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    objects: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
) -> Evaluation:
    """Add to the matches in the images of the samples those in images without an object to sample.

    An audit of objects has no samples in the latter, but what is detected there is false.
    detections: as `read_system_detections` returns them. samples: rows of the images of `matches`.
    The other arguments: as in `score_system`.
    """
    asked = categories.filter(pl.col("asked"))
    own = objects.join(asked, on=["source", "category"], how="semi", maintain_order="left")
    others = _find_others(samples, own, source_images)
    columns = [*objects.columns, "sample_id"]
    if others.is_empty():
        return Evaluation(matches.detections, matches.objects.select(columns))
    truth = own.join(others, on="path", how="semi", maintain_order="left")  # crowds and ignored
    kept = place_detections(
        system,
        detections,
        others,
        sizes=samples,
        source_images=source_images,
        categories=categories,
    )
    made = match_detections(
        truth, kept, samples, iou=system.iou, any_category=system.match == "any-category"
    )
    both = pl.concat([matches.detections, made.detections])
    return Evaluation(
        matches=both.sort("score", descending=True, maintain_order=True),
        truth=pl.concat([one.objects.select(columns) for one in (matches, made)]),
    )


def _find_others(
    samples: pl.DataFrame, objects: pl.DataFrame, source_images: pl.DataFrame
) -> pl.DataFrame:
    """Return the paths of further images to evaluate: those without an object to sample.

    Images are read in the order of their paths. Where objects lie beyond the last sample, not all
    were read (`--limit`), and images beyond it are left out.
    """
    none = samples.select("path").clear()
    if samples["parent_id"].null_count() == samples.height:  # whole images: all are samples
        return none
    counted = objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    others = source_images.select("path").unique(maintain_order=True)
    others = others.join(counted, on="path", how="anti", maintain_order="left")
    last = samples["path"].max()
    limited = bool((counted["path"] > last).any())
    return others.filter(pl.col("path") <= last) if limited else others
