"""Errors of objects and of images, counted from what became of objects and detections."""

import numpy as np
import polars as pl

from pipeline.errors.matching import Floats
from pipeline.errors.outcomes import FALSE_OUTCOMES, Outcomes
from pipeline.exceptions import PredictionsError

_MISSED = ~pl.col("found")
_OBJECT_LOSSES = {
    "miss": _MISSED,
    "iou-loss": 1 - pl.col("found_iou").fill_null(0),
    "score-loss": 1 - pl.col("found_score").fill_null(0),
    "wrong-class": _MISSED & pl.col("wrong_class"),
    "duplicates": pl.col("duplicates"),
}


def lose_by_object(outcomes: Outcomes, *, error: str) -> pl.DataFrame:
    """Return sample_id and error of each object that is a sample and counts.

    "miss": 1 if no detection found it, else 0. "iou-loss" and "score-loss": 1 - overlap or score of
    the detection that found it, 1 if none did. "wrong-class": 1 if nothing found it but a
    detection of another category is about it, else 0. "duplicates": how many further detections
    are about it. Raises PredictionsError if a score-loss meets scores that are not within 0 to 1.
    """
    if error == "score-loss":
        _check_scores(outcomes.detections)
    own = outcomes.objects.filter(
        ~pl.col("crowd") & ~pl.col("ignore") & pl.col("sample_id").is_not_null()
    )
    return own.select("sample_id", _OBJECT_LOSSES[error].cast(pl.Float64).alias("error"))


def count_by_image(outcomes: Outcomes, samples: pl.DataFrame) -> pl.DataFrame:
    """Count per sample: sample_id, path, objects that count, found of them, false_claims.

    samples: whole images. Images without objects or detections have zeros.
    """
    own = outcomes.objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    objects = own.group_by("path").agg(
        pl.len().cast(pl.Int64).alias("objects"), pl.col("found").sum().cast(pl.Int64)
    )
    false = outcomes.detections.filter(pl.col("outcome").is_in(FALSE_OUTCOMES))
    claims = false.group_by("path").agg(pl.len().cast(pl.Int64).alias("false_claims"))
    counts = samples.select("sample_id", "path").join(objects, on="path", how="left")
    counts = counts.join(claims, on="path", how="left").sort("sample_id")
    return counts.with_columns(pl.col("objects", "found", "false_claims").fill_null(0))


def lose_by_image(counts: pl.DataFrame, *, error: str) -> pl.DataFrame:
    """Return sample_id and error of each image that the error says something about.

    counts: as `count_by_image` gives them. The errors are those of `lose_in_images`; "miss", a
    share, says nothing about an image without objects, the others do.
    """
    if error == "miss":
        counts = counts.filter(pl.col("objects") > 0)
    columns = (
        counts[name].to_numpy().astype(float) for name in ("objects", "found", "false_claims")
    )
    return counts.select("sample_id").with_columns(
        pl.Series("error", lose_in_images(error, *columns), dtype=pl.Float64)
    )


def lose_in_images(error: str, objects: Floats, found: Floats, false_claims: Floats) -> Floats:
    """Return the error (n,) of images from three counts (n,) each.

    "miss": the share of the objects not found; "misses": how many; "false-positives": false
    claims, which are false positives, duplicates and wrong classes; "f1-loss": 1 - 2TP / (2TP + FP
    + FN), and 0 where there is nothing to find and nothing is claimed: silence is right there.
    """
    if error == "misses":
        return objects - found
    if error == "false-positives":
        return false_claims
    parts = objects if error == "miss" else objects + found + false_claims
    wrong = objects - found if error == "miss" else objects - found + false_claims
    return np.divide(wrong, parts, out=np.zeros(len(parts)), where=parts > 0)


def _check_scores(detections: pl.DataFrame) -> None:
    outside = detections.filter(~pl.col("score").is_between(0, 1))
    if not outside.is_empty():
        scores = detections["score"].to_numpy()
        low, high = scores.min(), scores.max()
        raise PredictionsError(
            f"score-loss needs scores from 0 to 1; {outside.height} of {detections.height} "
            f"detections have others, scores go from {low:.4g} to {high:.4g}; rescale them, or "
            'use error = "miss" or "iou-loss"'
        )
