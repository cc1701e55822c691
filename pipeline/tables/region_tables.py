"""Regions of the embedding space in which a system fails more than attributes explain."""

import polars as pl

from pipeline.tables.schema import Schema

REGION_WORDS: Schema = {  # what describes a region, best first
    "word": pl.String(),
    "effect": pl.Float64(),  # how much more the region resembles it, in standard deviations
}
REGION_VALUES: Schema = {  # values of attributes that a region holds more often than the rest
    "attribute": pl.String(),
    "value": pl.String(),
    "share": pl.Float64(),  # of the region
    "rest_share": pl.Float64(),
    "lift": pl.Float64(),  # share over that of all rows
}
REGIONS: Schema = {  # one row a region of one system
    "rank": pl.Int64(),
    "n": pl.Int64(),  # samples in it, of those searched
    "images": pl.Int64(),  # that they are of
    "error": pl.Float64(),
    "rest_error": pl.Float64(),  # of all other samples searched
    "expected_error": pl.Float64(),  # what findings and earlier regions explain of it
    "difference": pl.Float64(),  # error - expected_error
    "ci_low": pl.Float64(),  # 95 %, of the difference
    "ci_high": pl.Float64(),
    "z": pl.Float64(),  # excess of residual errors over its standard error
    "p": pl.Float64(),
    "q": pl.Float64(),  # Benjamini-Hochberg over all sets searched
    "p_family": pl.Float64(),  # of the largest excess in any set, by permutation
    "shape": pl.String(),  # direction | ball
    "state": pl.String(),  # confirmed | likely
    "holdout_n": pl.Int64(),  # null without a held-out half
    "holdout_error": pl.Float64(),
    "holdout_expected": pl.Float64(),
    "holdout_p": pl.Float64(),
    "folded": pl.Int64(),  # later regions of the same weakness that are not listed
    "words": pl.List(pl.Struct(dict(REGION_WORDS))),
    "values": pl.List(pl.Struct(dict(REGION_VALUES))),
    "typical": pl.List(pl.String()),  # sample_ids, the most typical first
    "failing": pl.List(pl.String()),  # sample_ids, the largest errors first
    "draft_kind": pl.String(),  # prompts | given
    "draft_fit": pl.Float64(),  # share of the region the prompts find, less that of the rest
    "draft": pl.String(),  # the text of an attribute file
}
REGION_MEMBERS: Schema = {  # the samples of regions
    "rank": pl.Int64(),
    "sample_id": pl.String(),
    "position": pl.Int64(),  # 1: the most typical of its half
    "error": pl.Float64(),
    "held_out": pl.Boolean(),
}
