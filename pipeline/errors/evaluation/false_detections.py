"""Which detections are false, of which kind, and where in their images they lie."""

import polars as pl

from pipeline.errors.evaluation.box_arrays import ANY, BoxArrays, rank_detections
from pipeline.errors.evaluation.evaluation_tables import ERROR_PLACES, FALSE_DETECTIONS
from pipeline.errors.evaluation.tide import KINDS, find_kinds
from pipeline.errors.matching import Matches
from pipeline.tables import check

ROWS, COLUMNS = 6, 8  # of the grid over an image


def list_false_detections(
    arrays: BoxArrays,
    matches: Matches,
    detections: pl.DataFrame,
    *,
    any_category: bool = False,
) -> pl.DataFrame:
    """Return FALSE_DETECTIONS by falling score.

    arrays: made of `detections`, a DETECTION_MATCHES frame, with `any_category`. matches: of them,
    at an overlap of 0.5.
    """
    own = detections.with_columns(named=pl.col("category"))
    if any_category:
        own = own.with_columns(category=pl.lit(ANY))
    kind = pl.Series(find_kinds(arrays, matches).kind)
    ranked = rank_detections(own).with_columns(
        category=pl.col("named"),
        kind=kind.replace_strict(dict(enumerate(KINDS)), default=None, return_dtype=pl.String),
    )
    false = ranked.filter(pl.col("kind").is_not_null()).select(list(FALSE_DETECTIONS))
    return check(false, FALSE_DETECTIONS, table="false detections")


def count_places(false: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return ERROR_PLACES by kind, row and column; cells without a detection have no row.

    false: FALSE_DETECTIONS. sizes: path, width and height of images in pixels; detections in other
    images are left out. Middles outside their image count at its edge.
    """
    known = false.join(sizes.select("path", "width", "height"), on="path", how="inner")

    def place(start: str, extent: str, of: str, count: int) -> pl.Expr:
        middle = (pl.col(start) + pl.col(extent) / 2) / pl.col(of)
        return (middle * count).floor().clip(0, count - 1).cast(pl.Int64)

    placed = known.select(
        "kind",
        row=place("y", "h", "height", ROWS),
        column=place("x", "w", "width", COLUMNS),
    )
    counted = placed.group_by("kind", "row", "column").len(name="n")
    counted = counted.with_columns(pl.col("n").cast(pl.Int64)).sort("kind", "row", "column")
    return check(counted, ERROR_PLACES, table="error places")


def pick_false(false: pl.DataFrame, *, count: int) -> pl.DataFrame:
    """Return of each kind the `count` FALSE_DETECTIONS that score best, one an image."""
    best = false.unique(["kind", "path"], keep="first", maintain_order=True)
    return best.filter(pl.int_range(pl.len()).over("kind") < count)
