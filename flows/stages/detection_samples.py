"""The detections of the system under audit as samples, where the audit asks for it."""

import polars as pl

from pipeline.config.audit import Audit
from pipeline.config.error_metrics import DETECTION_FORMATS
from pipeline.samples.detection_samples import sample_detections
from pipeline.samples.sample_set import SampleSet


def add_detection_samples(
    images: SampleSet, audit: Audit, *, limit: int | None = None
) -> SampleSet:
    """Return the sample set of an audit of detections; that of any other audit as it is.

    images: of the dataset as an audit of images reads it. limit: take the first so many detections.
    Raises PredictionsError if the detections cannot be read.
    """
    if audit.dataset.sample != "detection":
        return images
    from pipeline.errors.evaluation.system_detections import (
        place_detections,
        read_system_detections,
    )

    (system,) = (system for system in audit.systems if system.format in DETECTION_FORMATS)
    known = images.samples.select("path", "width", "height")
    placed = place_detections(
        system,
        read_system_detections(system),
        known.select("path"),
        sizes=known,
        source_images=images.source_images,
        categories=images.categories,
    )
    columns = ["path", "annotation_id", "category", *"xywh", "score"]
    return sample_detections(
        images, placed.select(pl.col(columns)), crop=audit.dataset.crop, limit=limit
    )


def limit_images(audit: Audit, limit: int | None) -> int | None:
    """Return the limit for reading the dataset: none where samples are detections in its images."""
    return None if audit.dataset.sample == "detection" else limit
