"""How a detector's error changes with the score from which its detections count."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask
from pipeline.config.error_metrics import find_metric
from pipeline.errors.detection_losses import (
    IMAGE_LOSSES,
    OBJECT_LOSSES,
    ImageCounts,
    ObjectMatches,
)
from pipeline.errors.match_status import UNMATCHED
from pipeline.tables import SWEEP, check, empty

POINTS = 25  # thresholds of a curve


def sweep_threshold(
    matches: pl.DataFrame,
    *,
    sample_ids: pl.Series,
    inside: Mask,
    error: str = "miss",
    image_counts: pl.DataFrame | None = None,
    thresholds: Sequence[float] | None = None,
) -> pl.DataFrame:
    """Return the mean error of a slice and of its complement for each score threshold.

    matches: DETECTION_MATCHES. sample_ids: (n,) of the searched rows, inside: (n,) which of them
    are in the slice. error: the metric of the system. image_counts: of an image audit, as in
    `Scored`; None if the samples are objects. thresholds: in any order; by default POINTS evenly
    from the lowest to the highest score of `matches`. Detections count from the threshold up.

    Detections are matched by falling score, so those under the threshold never change how the
    others are matched: the curve equals scoring again with `min_score`, without matching. Where
    that does not hold (a metric without `has_curve`), and without detections, it is empty.
    Returns the SWEEP table by rising threshold; a mean over no rows is null.
    """
    points = _choose_thresholds(matches["score"]) if thresholds is None else thresholds
    losses = OBJECT_LOSSES if image_counts is None else IMAGE_LOSSES
    if error not in losses or not find_metric(error).has_curve or not len(points):
        return empty(SWEEP)
    rows = pl.DataFrame({"sample_id": sample_ids}).with_row_index("row")
    if image_counts is None:
        measure = _measure_objects(matches.join(rows, on="sample_id", how="inner"), rows, error)
    else:
        counts = rows.join(image_counts, on="sample_id", how="left", maintain_order="left")
        placed = matches.join(counts.select("row", "path"), on="path", how="inner")
        measure = _measure_images(placed, counts, error)
    curve = []
    for threshold in sorted(set(points)):
        errors = measure(threshold)
        curve.append((threshold, _mean(errors[inside]), _mean(errors[~inside])))
    return check(pl.DataFrame(curve, schema=dict(SWEEP), orient="row"), SWEEP, table="sweep")


def _measure_objects(
    matches: pl.DataFrame, rows: pl.DataFrame, error: str
) -> Callable[[float], Floats]:
    """Return a function from a threshold to the error (n,) of each object."""
    count = rows.height
    found = matches.filter(pl.col("status") == "found")
    duplicates = matches.filter(pl.col("status") == "duplicate")
    own = _take_rows(found)
    scores, overlaps = np.full(count, -np.inf), np.zeros(count)
    scores[own], overlaps[own] = found["score"].to_numpy(), found["iou"].to_numpy()

    def measure(threshold: float) -> Floats:
        kept = (scores >= threshold) & (scores > -np.inf)
        return OBJECT_LOSSES[error](
            ObjectMatches(
                found=kept,
                iou=np.where(kept, overlaps, 0.0),
                score=np.where(kept, scores, 0.0),
                duplicates=_count_from(threshold, duplicates, count),
                wrong_class=np.zeros(count, dtype=np.bool_),  # see has_curve
            )
        )

    return measure


def _measure_images(
    matches: pl.DataFrame, counts: pl.DataFrame, error: str
) -> Callable[[float], Floats]:
    """Return a function from a threshold to the error (n,) of each image."""
    objects = counts["objects"].fill_null(0).cast(pl.Float64).to_numpy()
    found = matches.filter(pl.col("status") == "found")
    unmatched = matches.filter(pl.col("status").is_in(UNMATCHED))

    def measure(threshold: float) -> Floats:
        return IMAGE_LOSSES[error](
            ImageCounts(
                objects=objects,
                found=_count_from(threshold, found, len(objects)),
                unmatched=_count_from(threshold, unmatched, len(objects)),
            )
        )

    return measure


def _take_rows(matches: pl.DataFrame) -> Ints:
    return matches["row"].cast(pl.Int64).to_numpy()


def _count_from(threshold: float, matches: pl.DataFrame, count: int) -> Floats:
    """Return (count,) the number of detections of each row that score `threshold` or more."""
    kept = matches.filter(pl.col("score") >= threshold)
    return np.bincount(_take_rows(kept), minlength=count).astype(np.float64)


def _choose_thresholds(scores: pl.Series) -> list[float]:
    if scores.is_empty():
        return []
    values = scores.to_numpy()
    steps = np.linspace(0, 1, POINTS)
    points: list[float] = ((1 - steps) * values.min() + steps * values.max()).tolist()
    return points


def _mean(errors: Floats) -> float | None:
    defined = errors[~np.isnan(errors)]
    return float(defined.mean()) if len(defined) else None
