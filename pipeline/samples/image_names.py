"""The names under which predictions and lists may speak of an image."""

import polars as pl

_NUMBER = r"^\d{1,18}$"


def name_images(paths: pl.Series) -> pl.DataFrame:
    """Return image_id and path: every name that means exactly one of the images.

    paths: posix, relative to the dataset's root. Names are the path itself, the file name, its stem
    and, for a stem of digits, its number without leading zeros, as Ultralytics writes it. A name
    that two images share names neither, except that a path always names its own image.
    """
    own = pl.DataFrame({"path": paths.cast(pl.String)}).unique(maintain_order=True)
    file_name = pl.col("path").str.split("/").list.last()
    stem = file_name.str.replace(r"(.)\.[^.]*$", "${1}")
    number = pl.when(stem.str.contains(_NUMBER)).then(stem.cast(pl.Int64, strict=False))
    names = pl.concat(
        own.select(name.cast(pl.String).alias("image_id"), "path", pl.lit(rank).alias("rank"))
        for rank, name in enumerate((pl.col("path"), file_name, stem, number))
    ).drop_nulls("image_id")
    names = names.sort("rank", maintain_order=True).unique(["image_id", "path"], keep="first")
    alone = (pl.len().over("image_id") == 1) | (pl.col("rank") == 0)
    return names.filter(alone).select("image_id", "path").sort("path", "image_id")


def choose_ids(names: pl.DataFrame) -> pl.DataFrame:
    """Return path and image_id: the stem of an image's file where it is unique, else its path.

    names: of one source, as `name_images` gives them.
    """
    file_name = pl.col("path").str.split("/").list.last()
    stem = file_name.str.replace(r"(.)\.[^.]*$", "${1}")
    chosen = pl.when(pl.col("image_id") == stem).then(0).when(pl.col("image_id") == pl.col("path"))
    ranked = names.with_columns(rank=chosen.then(1))
    best = ranked.drop_nulls("rank").sort("path", "rank").unique("path", keep="first")
    return best.select("path", "image_id").sort("path")
