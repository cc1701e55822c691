"""Detections of a system under audit as samples: what it sees that is not there, is cut out."""

from dataclasses import replace

import polars as pl

from pipeline.config.dataset import CropRule
from pipeline.exceptions import DatasetError
from pipeline.samples.detected_objects import SCORE, find_faults
from pipeline.samples.objects import make_object_rows
from pipeline.samples.sample_set import SampleSet, reject_rows
from pipeline.tables import SAMPLES, check


def sample_detections(
    images: SampleSet, detections: pl.DataFrame, *, crop: CropRule, limit: int | None = None
) -> SampleSet:
    """Add detections to a sample set of whole images, as its samples.

    detections: path, annotation_id (unique in an image, of no true object), category, x, y, w, h in
    pixels, score. limit: take the first so many, by path, then in their order. Every image stays,
    also one without a detection: its objects are the truth. Detections without a usable box are
    rejects. The columns get the score as `detection_score`. Raises DatasetError if no detection
    can be used.
    """
    ordered = detections.sort("path", maintain_order=True)
    faults = find_faults(ordered)
    where = pl.concat_str(pl.lit("detection "), "annotation_id", pl.lit(": "), "reason")
    bad = ordered.with_columns(reason=faults).filter(pl.col("reason").is_not_null())
    usable = ordered.filter(faults.is_null())
    chosen = usable if limit is None else usable.head(limit)
    if chosen.is_empty():
        raise DatasetError(
            f"none of the {detections.height} detections that count can be used as a sample; see "
            "min_score, categories and the ids in the predictions"
        )
    rows, small = make_object_rows(chosen, images.samples, crop)
    own = pl.concat([images.samples, rows]).with_row_index("place")
    is_object = pl.col("parent_id").is_not_null()
    samples = own.sort("path", is_object, "place").select(list(SAMPLES))
    scores = rows.join(chosen, on=["path", "annotation_id"], maintain_order="left").select(
        "sample_id", "category", "split", pl.col("score").cast(pl.String).alias(SCORE)
    )
    rejects = pl.concat([images.rejects, reject_rows(bad.select("path", where))])
    counts = {"objects": rows.height, "rejects": rejects.height, "too_small": small}
    return replace(
        images,
        samples=check(samples, SAMPLES, table="samples"),
        rejects=rejects.sort("path", "reason"),
        columns=pl.concat([images.columns, scores], how="diagonal"),
        counts={**images.counts, **counts},
    )
