"""Label files of a YOLO dataset as frames: one line an object, parsed all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.files.yolo_labels import read_class, split_lines
from pipeline.tables import BOX, Schema

_LONGEST_LINE = 1_000_000  # characters; an outline of 10,000 points has 200,000
_SLACK = 0.01  # shares of the image that rounding may lie outside of it
_POLYGON = 7  # values of the shortest one: a class and three points

LABELS_READ: Schema = {
    "file": pl.Int64(),  # position of the label file
    "line": pl.Int64(),  # from 1
    "category_id": pl.String(),
    **BOX,  # in shares of the image's width and height
}
FAULTS: Schema = {"file": pl.Int64(), "line": pl.Int64(), "reason": pl.String()}


@dataclass(frozen=True)
class ReadLabels:
    """LABELS_READ and FAULTS, both by file and line: together every line that is not empty."""

    objects: pl.DataFrame
    faults: pl.DataFrame


def parse_labels(
    texts: Sequence[str | None], *, names: Sequence[str], keypoints: bool = False
) -> ReadLabels:
    """Parse the contents of label files; a line that cannot be used becomes a fault.

    A line is `class cx cy w h` in shares of the image, or a class and the points of a polygon, of
    which the bounding box is taken. names: category ids that exist. keypoints: whether lines go on
    after the box. A line that repeats an earlier one of its file is a fault.
    """
    lines = _empty_long_lines(split_lines(texts))
    number = pl.element().cast(pl.Float64, strict=False)
    tokens = lines.with_columns(pl.col("text").str.extract_all(r"\S+").alias("tokens"))
    tokens = tokens.with_columns(
        count=pl.col("tokens").list.len().cast(pl.Int64),
        category_id=read_class(pl.col("tokens")),
        values=pl.col("tokens").list.slice(1, 4 if keypoints else None).list.eval(number),
    ).drop("tokens")
    is_polygon = (pl.col("count") >= _POLYGON) & (pl.col("count") % 2 == 1) & (not keypoints)
    placed = pl.concat(
        [_place_boxes(tokens.filter(~is_polygon)), _place_polygons(tokens.filter(is_polygon))]
    ).sort("file", "line")
    checked = placed.with_columns(_explain_fault(names, keypoints=keypoints).alias("reason"))
    same = ["file", "category_id", *BOX]
    first = pl.col("line").first().over(same)
    repeated = pl.col("reason").is_null() & (pl.col("line") != first)
    reason = pl.when(repeated).then(pl.concat_str(pl.lit("repeats line "), first))
    checked = checked.with_columns(reason.otherwise("reason").alias("reason"))
    good = checked.filter(pl.col("reason").is_null())
    return ReadLabels(
        objects=good.select(list(LABELS_READ)),
        faults=checked.filter(pl.col("reason").is_not_null()).select(list(FAULTS)),
    )


def _empty_long_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Add `long`, and empty the text of such lines: they are not parsed."""
    long = pl.col("text").str.len_bytes() > _LONGEST_LINE
    return lines.with_columns(
        pl.when(long).then(pl.lit("")).otherwise("text").alias("text"), long=long
    )


def _place_boxes(lines: pl.DataFrame) -> pl.DataFrame:
    """Read center and sides of a box from the first four values."""
    cx, cy, w, h = (pl.col("values").list.get(index, null_on_oob=True) for index in range(4))
    return lines.with_columns(
        inside=_within(cx) & _within(cy) & (w <= 1 + _SLACK) & (h <= 1 + _SLACK),
        finite=_is_finite(cx, cy, w, h),
        x=cx - w / 2,
        y=cy - h / 2,
        w=w,
        h=h,
        polygon=pl.lit(False),  # noqa: FBT003 - a literal of an expression
    ).drop("values")


def _place_polygons(lines: pl.DataFrame) -> pl.DataFrame:
    """Take the bounding box of the points x1 y1 x2 y2 ..."""
    xs = pl.col("values").list.gather_every(2)
    ys = pl.col("values").list.gather_every(2, offset=1)
    every = pl.col("values")
    finite = every.list.eval(pl.element().is_finite().fill_null(value=False)).list.all()
    left, top, right, bottom = xs.list.min(), ys.list.min(), xs.list.max(), ys.list.max()
    return lines.with_columns(
        inside=_within(left) & _within(top) & _within(right) & _within(bottom),
        finite=finite,
        x=left,
        y=top,
        w=right - left,
        h=bottom - top,
        polygon=pl.lit(True),  # noqa: FBT003 - a literal of an expression
    ).drop("values")


def _within(value: pl.Expr) -> pl.Expr:
    return value.is_between(-_SLACK, 1 + _SLACK)


def _is_finite(*values: pl.Expr) -> pl.Expr:
    return pl.all_horizontal(value.is_finite().fill_null(value=False) for value in values)


def _explain_fault(names: Sequence[str], *, keypoints: bool) -> pl.Expr:
    """Return why a line cannot be used, null where it can."""
    count = pl.col("count")
    wrong_count = count < 5 if keypoints else (count != 5) & ~pl.col("polygon")
    shown = pl.col("text").str.slice(0, 40)
    return (
        pl.when(pl.col("long"))
        .then(pl.lit(f"the line is longer than {_LONGEST_LINE:,} characters"))
        .when(wrong_count)
        .then(
            pl.format(
                "has {} values, expected class cx cy w h or a class and three points or more", count
            )
        )
        .when(~pl.col("finite"))
        .then(pl.format("'{}' is not made of finite numbers", shown))
        .when(pl.col("category_id").is_null())
        .then(pl.format("'{}' does not start with the index of a class", shown))
        .when(~pl.col("category_id").is_in(list(names)))
        .then(pl.format("class {} is not among the names of the data.yaml", "category_id"))
        .when((pl.col("w") <= 0) | (pl.col("h") <= 0))
        .then(pl.format("the box is {} x {} of the image, expected sides above 0", "w", "h"))
        .when(~pl.col("inside"))
        .then(pl.format("'{}' lies outside the image: expected shares from 0 to 1", shown))
    )
