"""How well a detector finds objects, and how often it is right, by the size of boxes."""

import math
from itertools import pairwise

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.errors.evaluation.evaluation_tables import SIZE_SCORES
from pipeline.statistics.estimates import Values, estimate_mean, number_clusters
from pipeline.tables import check

# Square roots of areas, in pixels: COCO's small (below 32), medium and large (from 96 on), halved.
EDGES = (0.0, 16.0, 32.0, 64.0, 96.0, 192.0, math.inf)


def score_sizes(matches: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return SIZE_SCORES, small ones first; sizes without objects and detections have no row.

    matches: DETECTION_MATCHES. truth: the true boxes in the audited images. Recall is by the size
    of true boxes, precision by that of detections. Crowds and ignored objects do not count, nor do
    detections of them. Intervals count images, since objects of one image are not independent.
    """
    objects = truth.filter(~(pl.col("crowd") | pl.col("ignore")))
    counted = matches.filter(pl.col("status") != "ignored")
    right = counted["status"] == "found"
    taken = counted.filter(right).select("path", "annotation_id").unique()
    found = objects.join(
        taken.with_columns(found=pl.lit(value=True)),
        on=["path", "annotation_id"],
        how="left",
        maintain_order="left",
    )["found"].fill_null(value=False)
    rows = []
    sides = [
        (_measure(frame), _values(flags, frame["path"]))
        for frame, flags in ((objects, found), (counted, right))
    ]
    for low, high in pairwise(EDGES):
        cells: list[float | int | None] = []
        for size, values in sides:
            cells += _estimate((size >= low) & (size < high), values)
        if cells[0] or cells[4]:
            rows.append((low, high, *cells))
    frame = pl.DataFrame(rows, schema=dict(SIZE_SCORES), orient="row")
    return check(frame, SIZE_SCORES, table="size scores")


def _measure(boxes: pl.DataFrame) -> Floats:
    """Return the square roots of the areas of boxes."""
    area = boxes["w"].cast(pl.Float64) * boxes["h"].cast(pl.Float64)
    sides: Floats = np.sqrt(np.maximum(area.to_numpy(), 0.0))
    return sides


def _values(flags: pl.Series, images: pl.Series) -> Values:
    return number_clusters(flags.cast(pl.Float64).to_numpy(), images)


def _estimate(chosen: Mask, values: Values) -> list[float | int | None]:
    """Return how many are chosen, the share of them, and the ends of its interval."""
    made = estimate_mean(values, np.flatnonzero(chosen))
    shares = [made.value, *made.interval]
    return [made.n, *(None if math.isnan(share) else share for share in shares)]
