"""Errors of objects and of images, computed from the matches of a detector.

A metric is a record in `pipeline.config.error_metrics` and a function here: of objects in
OBJECT_LOSSES, of images in IMAGE_LOSSES. Scoring and threshold curves call the same function.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.config.error_metrics import find_metric
from pipeline.errors.match_status import UNMATCHED, DetectionMatches
from pipeline.exceptions import PredictionsError


@dataclass(frozen=True)
class ObjectMatches:
    """Matches of n objects.

    found: (n,). iou, score: (n,) of the detection that found each object, 0 where none did.
    duplicates: (n,) number of further detections. wrong_class: (n,) whether a detection of another
    category has the object as its target.
    """

    found: Mask
    iou: Floats
    score: Floats
    duplicates: Floats
    wrong_class: Mask


@dataclass(frozen=True)
class ImageCounts:
    """Counts of n images: (n,) objects, found of them, and unmatched detections."""

    objects: Floats
    found: Floats
    unmatched: Floats


def miss_share(counts: ImageCounts) -> Floats:
    """Return the share of the objects of each image that were not found; NaN without objects."""
    missed = counts.objects - counts.found
    undefined = np.full(len(missed), np.nan)
    shares: Floats = np.divide(missed, counts.objects, out=undefined, where=counts.objects > 0)
    return shares


def f1_loss(counts: ImageCounts) -> Floats:
    """Return 1 - 2TP / (2TP + FP + FN) of each image.

    It is 0 for an image without objects and without unmatched detections.
    """
    parts = counts.objects + counts.found + counts.unmatched
    wrong = counts.objects - counts.found + counts.unmatched
    return np.divide(wrong, parts, out=np.zeros(len(parts)), where=parts > 0)


# Error (n,) of each object.
OBJECT_LOSSES: Mapping[str, Callable[[ObjectMatches], Floats]] = {
    "miss": lambda matches: (~matches.found).astype(np.float64),
    "iou-loss": lambda matches: 1.0 - matches.iou,
    "score-loss": lambda matches: 1.0 - matches.score,
    "wrong-class": lambda matches: (~matches.found & matches.wrong_class).astype(np.float64),
    "duplicates": lambda matches: matches.duplicates,
}
# Error (n,) of each image; NaN where it has none.
IMAGE_LOSSES: Mapping[str, Callable[[ImageCounts], Floats]] = {
    "miss": miss_share,
    "misses": lambda counts: counts.objects - counts.found,
    "false-positives": lambda counts: counts.unmatched,
    "f1-loss": f1_loss,
}


# Error of each detection, by its match status; one that is ignored has none.
DETECTION_LOSSES: Mapping[str, Mapping[str, float]] = {
    "false-positive": {"found": 0.0, **dict.fromkeys(UNMATCHED, 1.0)},
}


def name_detections(
    matches: pl.DataFrame, detections: pl.DataFrame, samples: pl.DataFrame
) -> pl.DataFrame:
    """Return DETECTION_MATCHES whose sample_id is that of the detection, not of its target.

    matches: made of `detections` (path, annotation_id, score, ...). samples: the detections that
    are samples.
    """
    ranked = detections.sort("score", descending=True, maintain_order=True)  # as the matches are
    names = samples.select("path", "annotation_id", "sample_id")
    keys = ["path", "annotation_id"]
    own = ranked.select(keys).join(names, on=keys, how="left", maintain_order="left")
    return matches.with_columns(own["sample_id"])


def score_false_positives(matches: pl.DataFrame) -> pl.DataFrame:
    """Return sample_id and error of each detection that is a sample.

    matches: as `name_detections` returns them. Detections of crowds and ignored objects have none.
    """
    errors = DETECTION_LOSSES["false-positive"]
    own = matches.filter(pl.col("sample_id").is_not_null() & pl.col("status").is_in(list(errors)))
    error = pl.col("status").replace_strict(errors, return_dtype=pl.Float64)
    return own.select("sample_id", error.alias("error"))


def score_objects(matches: DetectionMatches, *, error: str) -> pl.DataFrame:
    """Return sample_id and error of each counted object that is a sample.

    error: a name in OBJECT_LOSSES. Raises PredictionsError if the metric needs scores from 0 to 1
    and detections have others.
    """
    if find_metric(error).needs_probabilities:
        _check_scores(matches.detections, error=error)
    own = matches.objects.filter(
        ~pl.col("crowd") & ~pl.col("ignore") & pl.col("sample_id").is_not_null()
    )
    arrays = ObjectMatches(
        found=own["found"].to_numpy(),
        iou=own["found_iou"].fill_null(0).to_numpy(),
        score=own["found_score"].fill_null(0).to_numpy(),
        duplicates=own["duplicates"].cast(pl.Float64).to_numpy(),
        wrong_class=own["wrong_class"].to_numpy(),
    )
    return own.select("sample_id", pl.Series("error", OBJECT_LOSSES[error](arrays)))


def count_by_image(matches: DetectionMatches, samples: pl.DataFrame) -> pl.DataFrame:
    """Count per sample: sample_id, path, counted objects, found of them, unmatched detections.

    samples: whole images. Images without objects or detections have zeros.
    """
    own = matches.objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    objects = own.group_by("path").agg(
        pl.len().cast(pl.Int64).alias("objects"), pl.col("found").sum().cast(pl.Int64)
    )
    unmatched = matches.detections.filter(pl.col("status").is_in(UNMATCHED))
    unmatched = unmatched.group_by("path").agg(pl.len().cast(pl.Int64).alias("unmatched"))
    counts = samples.select("sample_id", "path").join(objects, on="path", how="left")
    counts = counts.join(unmatched, on="path", how="left").sort("sample_id")
    return counts.with_columns(pl.col("objects", "found", "unmatched").fill_null(0))


def score_images(counts: pl.DataFrame, *, error: str) -> pl.DataFrame:
    """Return sample_id and error of each image that has this error.

    counts: as `count_by_image` returns them. error: a name in IMAGE_LOSSES.
    """
    columns = (
        counts[name].cast(pl.Float64).to_numpy() for name in ("objects", "found", "unmatched")
    )
    errors = pl.Series("error", IMAGE_LOSSES[error](ImageCounts(*columns)), dtype=pl.Float64)
    return counts.select("sample_id", errors).filter(pl.col("error").is_not_nan())


def _check_scores(detections: pl.DataFrame, *, error: str) -> None:
    outside = detections.filter(~pl.col("score").is_between(0, 1))
    if not outside.is_empty():
        scores = detections["score"].to_numpy()
        low, high = scores.min(), scores.max()
        raise PredictionsError(
            f"{error} needs scores from 0 to 1; {outside.height} of {detections.height} "
            f"detections have others, scores go from {low:.4g} to {high:.4g}; rescale them, or "
            'use error = "miss" or "iou-loss"'
        )
