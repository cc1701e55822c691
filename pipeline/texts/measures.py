"""Texts -> measurements: how many lines an image holds, and how much of it they cover."""

import polars as pl

from pipeline.tables import MEASUREMENTS, check

TEXT_MEASURES = ("text_count", "text_area")


def measure_texts(texts: pl.DataFrame, images: pl.DataFrame, *, reader_id: str) -> pl.DataFrame:
    """Return the `measurements` of every image whose text was read, by sorted content key.

    texts: TEXTS, rows of nulls included. images: content_key, width and height in pixels.
    text_count: lines of two characters or more; a lone sign is too often a pattern in an image.
    text_area: the share of the image that their boxes cover, 0 to 1. The measure_version is the
    reader_id.
    """
    is_line = (pl.col("text").str.len_chars() >= 2).fill_null(value=False)
    sizes = images.select("content_key", "width", "height").unique("content_key", keep="any")
    covered = (pl.col("w") * pl.col("h")).filter(is_line).sum()
    whole = pl.col("width").first() * pl.col("height").first()
    measured = (
        texts.join(sizes, on="content_key", how="inner")
        .group_by("content_key")
        .agg(
            is_line.sum().cast(pl.Float64).alias("text_count"),
            (covered / whole).clip(0, 1).alias("text_area"),
        )
        .unpivot(TEXT_MEASURES, index="content_key", variable_name="measure")
        .with_columns(pl.lit(reader_id).alias("measure_version"))
    )
    return check(
        measured.sort("content_key", "measure"), MEASUREMENTS, table="measurements of texts"
    )
