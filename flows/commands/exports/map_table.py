"""The table `map`: where each sample is on the map, with its labels and errors."""

import polars as pl

from flows.commands.exports.wide_columns import MARK
from flows.commands.exports.wide_table import build_wide_table
from pipeline.workspace.kept.kept_maps import read_last_positions
from pipeline.workspace.store import Store


def build_map_table(store: Store) -> pl.DataFrame:
    """Return one row a sample on the map: x, y, then the columns of the wide table.

    embedding-atlas opens the Parquet: `embedding-atlas FILE --x x --y y`. Raises StoreError where
    no map was made, or nothing is labelled or scored.
    """
    positions = read_last_positions(store).select("content_key", "x", "y")
    keys = store.read_samples().select("sample_id", "content_key")
    placed = keys.join(positions, on="content_key", how="inner")
    wide = build_wide_table(store).rename({MARK: "sample"})
    joined = placed.select("sample_id", "x", "y").join(
        wide, left_on="sample_id", right_on="sample", how="inner"
    )
    return joined.select(
        "x", "y", pl.col("sample_id").alias("sample"), pl.exclude("x", "y", "sample_id")
    ).sort("sample")
