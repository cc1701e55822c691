"""Positions of samples on a map of the embedding space, and its regions."""

import polars as pl

from pipeline.tables.schema import Schema

POSITIONS: Schema = {  # of one map: one row a content
    "content_key": pl.String(),
    "x": pl.Float32(),
    "y": pl.Float32(),
    "landmark": pl.Boolean(),  # whether the map was made from it; else it was placed
}
MAP_REGIONS: Schema = {  # of one map and system: one row a region, the largest first
    "region": pl.Int64(),  # from 1
    "name": pl.String(),  # the values that are typical of it, "" where none are
    "n": pl.Int64(),
    "error": pl.Float64(),
    "ci_low": pl.Float64(),  # 95 %
    "ci_high": pl.Float64(),
    "x": pl.Float64(),  # where it is densest, as a share of the picture from its left side
    "y": pl.Float64(),  # from its top
}
