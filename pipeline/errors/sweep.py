"""How a detector's error changes with the score from which its detections count."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.errors.detection_metrics import lose_in_images
from pipeline.errors.outcomes import FALSE_OUTCOMES
from pipeline.tables import SWEEP, check, empty

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SWEPT_OBJECT_ERRORS = ("miss", "iou-loss", "score-loss", "duplicates")
SWEPT_IMAGE_ERRORS = ("miss", "misses", "false-positives", "f1-loss")
POINTS = 25  # thresholds of a curve


def sweep_threshold(
    outcomes: pl.DataFrame,
    *,
    sample_ids: pl.Series,
    inside: Bools,
    error: str = "miss",
    image_counts: pl.DataFrame | None = None,
    thresholds: Sequence[float] | None = None,
) -> pl.DataFrame:
    """Return the mean error of a slice and of the rest for each score threshold.

    outcomes: DETECTION_OUTCOMES. sample_ids: (n,) of the searched rows, inside: (n,) which of them
    the slice holds. error: what `System.error` asked for. image_counts: of an image audit, as in
    `Scored`; None says that the samples are objects. thresholds: rising or not; without them POINTS
    evenly from the lowest to the highest score of `outcomes`. Detections count from the threshold
    up. Matching takes detections by falling score, so those under the threshold never changed what
    became of the others: this is what scoring again with `min_score` gives, without matching.
    Only "wrong-class" would change, since an object that is missed at a higher threshold can make
    a false positive a wrong class: its sweep is empty, as is that of a system without detections.
    Returns the SWEEP table by rising threshold; a mean over no rows is null.
    """
    swept = SWEPT_OBJECT_ERRORS if image_counts is None else SWEPT_IMAGE_ERRORS
    points = _choose_thresholds(outcomes["score"]) if thresholds is None else thresholds
    if error not in swept or not len(points):
        return empty(SWEEP)
    rows = pl.DataFrame({"sample_id": sample_ids}).with_row_index("row")
    if image_counts is None:
        events = outcomes.join(rows, on="sample_id", how="inner")
        objects = np.ones(len(sample_ids))  # (n,)
    else:
        counted = rows.join(image_counts, on="sample_id", how="left", maintain_order="left")
        events = outcomes.join(counted.select("row", "path"), on="path", how="inner")
        objects = counted["objects"].fill_null(0).cast(pl.Float64).to_numpy()
    gained = _Tally(events.filter(pl.col("outcome") == "found"), error=error, count=len(objects))
    false = _Tally(_choose_false(events, error), error=error, count=len(objects))
    curve = []
    for threshold in sorted(set(points)):
        found, claims = gained.sum_from(threshold), false.sum_from(threshold)
        if image_counts is not None:
            errors = lose_in_images(error, objects, found, claims)
        else:
            errors = claims if error == "duplicates" else 1 - found
        curve.append((threshold, _mean(errors[inside]), _mean(errors[~inside])))
    return check(pl.DataFrame(curve, schema=dict(SWEEP), orient="row"), SWEEP, table="sweep")


class _Tally:
    """Events of n rows, summed from a score up."""

    def __init__(self, events: pl.DataFrame, *, error: str, count: int) -> None:
        weight = {"iou-loss": events["iou"], "score-loss": events["score"]}.get(error)
        self._weights = np.ones(events.height) if weight is None else weight.to_numpy()
        self._rows = events["row"].cast(pl.Int64).to_numpy()
        self._scores = events["score"].to_numpy()
        self._count = count

    def sum_from(self, threshold: float) -> Floats:
        """Return (n,) the summed weights of the events that score `threshold` or more."""
        kept = self._scores >= threshold
        sums = np.bincount(self._rows[kept], self._weights[kept], minlength=self._count)
        return sums.astype(np.float64)  # of no events bincount gives whole numbers


def _choose_thresholds(scores: pl.Series) -> list[float]:
    if scores.is_empty():
        return []
    values = scores.to_numpy()
    steps = np.linspace(0, 1, POINTS)
    points: list[float] = ((1 - steps) * values.min() + steps * values.max()).tolist()
    return points


def _choose_false(events: pl.DataFrame, error: str) -> pl.DataFrame:
    kinds = ["duplicate"] if error == "duplicates" else list(FALSE_OUTCOMES)
    return events.filter(pl.col("outcome").is_in(kinds))


def _mean(errors: Floats) -> float | None:
    return float(errors.mean()) if len(errors) else None
