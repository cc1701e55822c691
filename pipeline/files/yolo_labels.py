"""Lines and boxes of YOLO label files: `class value value ...`, in datasets and in results."""

from collections.abc import Sequence

import polars as pl

_CLASS = r"^0*(\d{1,6})(?:\.0*)?$"  # 7, 07 and 7.0 are the same class


def split_lines(texts: Sequence[str | None]) -> pl.DataFrame:
    """Return file, line and text of every line that is not empty.

    texts: the contents of label files; null where there is none. file: position in `texts`. line:
    from 1. text: without spaces around it.
    """
    files = pl.DataFrame({"text": texts}, schema={"text": pl.String()}).with_row_index("file")
    lines = files.drop_nulls("text").with_columns(pl.col("text").str.split("\n"))
    numbers = pl.int_ranges(1, pl.col("text").list.len() + 1, dtype=pl.Int64)
    lines = lines.with_columns(pl.col("file").cast(pl.Int64), line=numbers)
    lines = lines.explode("text", "line").with_columns(pl.col("text").str.strip_chars())
    return lines.filter(pl.col("text").str.len_bytes() > 0)


def read_class(tokens: pl.Expr) -> pl.Expr:
    """Return the class of a line, as text without leading zeros; null where there is none.

    tokens: lists of the parts of a line.
    """
    return tokens.list.first().str.extract(_CLASS, 1)


def scale_boxes(boxes: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Bring boxes in shares of their image to pixels; those of other images are dropped.

    boxes: path, x, y, w, h and any other columns. images: path, width and height in pixels.
    """
    sizes = images.select("path", "width", "height").unique("path")
    sized = boxes.join(sizes, on="path", how="inner", maintain_order="left")
    across = [pl.col(name) * pl.col("width") for name in "xw"]
    down = [pl.col(name) * pl.col("height") for name in "yh"]
    return sized.with_columns(*across, *down).select(boxes.columns)
