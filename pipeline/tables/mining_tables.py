"""What was mined from a pool for findings, and weights for training again."""

import polars as pl

from pipeline.tables.schema import PREDICATES, Schema

MINED: Schema = {  # a sample of the pool to label first: one row a sample, in the order to label
    "rank": pl.Int64(),
    "finding": pl.Int64(),  # the rank of the finding that it was taken for
    "predicates": PREDICATES,
    "probability": pl.Float64(),  # of belonging to it, or of holding an object that does
    "also": pl.List(pl.Int64()),  # other findings that it belongs to with a probability of a half
    "sample_id": pl.String(),
    "path": pl.String(),  # relative to the root of the pool
    "annotation_id": pl.String(),  # null of whole images, as the box
    "x": pl.Float64(),
    "y": pl.Float64(),
    "w": pl.Float64(),
    "h": pl.Float64(),
    "width": pl.Int64(),
    "height": pl.Int64(),
}
MINED_RATES: Schema = {  # hits among what was mined: one row a finding
    "finding": pl.Int64(),
    "predicates": PREDICATES,
    "asked": pl.Int64(),  # its part of the budget
    "mined": pl.Int64(),
    "expected": pl.Float64(),  # share of hits, with the 95 % interval of the share to come
    "expected_low": pl.Float64(),
    "expected_high": pl.Float64(),
    "random": pl.Float64(),  # expected share of hits in the whole pool
    "judged_by": pl.String(),  # truth | labels: what probabilities were fitted to
}
HIT_RATES: Schema = {  # beside what came back labelled
    **MINED_RATES,
    "labelled": pl.Int64(),  # of the mined ones
    "hits": pl.Int64(),
    "rate": pl.Float64(),
    "low": pl.Float64(),  # 95 %, Wilson's
    "high": pl.Float64(),
    "as_expected": pl.Boolean(),  # whether the rate lies in the expected interval
}
WEIGHTS: Schema = {  # of samples in training again: one row a sample and system
    "system": pl.String(),
    "sample_id": pl.String(),
    "path": pl.String(),
    "annotation_id": pl.String(),  # null of whole images
    "weight": pl.Float64(),  # mean 1
    "findings": pl.List(pl.Int64()),  # that the sample belongs to
}
