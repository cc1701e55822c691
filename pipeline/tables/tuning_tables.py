"""What tuning an encoder gained and lost."""

import polars as pl

from pipeline.tables.schema import Schema

TUNING: Schema = {  # an attribute by one way to label it, on groups that nothing was fitted to
    "attribute": pl.String(),
    "way": pl.String(),  # untuned | tuned | plain (without a background) | linear probe
    "n": pl.Int64(),
    "accuracy": pl.Float64(),  # balanced: the mean of the values' recalls
    "recall_image": pl.Float64(),  # share of images whose best caption is true of them
    "recall_text": pl.Float64(),  # share of captions whose best image they are true of
    "precision": pl.Float64(),  # of the labels, mean of the values
    "matched_less_others": pl.Float64(),  # mean cosine with true captions less that with others
    "matched": pl.Float64(),  # mean cosine with true captions; it proves nothing
}
CURVE: Schema = {  # gain and loss along the way from the untuned to the tuned encoder
    "step": pl.Float64(),  # 0 untuned, 1 tuned
    "gain": pl.Float64(),  # balanced accuracy of the targets, less that of the untuned
    "gain_low": pl.Float64(),  # 95 %
    "gain_high": pl.Float64(),
    "loss": pl.Float64(),  # of the background, likewise
    "loss_low": pl.Float64(),
    "loss_high": pl.Float64(),
    "allowed": pl.Boolean(),  # whether the loss is below the bound, and there is a gain
}
