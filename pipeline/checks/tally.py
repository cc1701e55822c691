"""Counts of verdicts on labels, and the precision of labels that follows from them."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.statistics.intervals import wilson_interval
from pipeline.tables import Schema, check
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG

TALLY: Schema = {  # one row a label that was drawn, in the order of its rows
    "attribute": pl.String(),
    "shown": pl.String(),
    "within_finding": pl.Boolean(),  # whether it was drawn within a finding, not at random
    "right": pl.Int64(),
    "wrong": pl.Int64(),
    "cannot_say": pl.Int64(),
    "left": pl.Int64(),  # without a verdict
    "precision": pl.Float64(),  # right / (right + wrong); null without either, and of "unknown"
    "low": pl.Float64(),  # 95 % interval
    "high": pl.Float64(),
}
LABEL_ACCURACY: Schema = {  # one row an attribute
    "attribute": pl.String(),
    "n": pl.Int64(),  # labels that were called right or wrong
    "accuracy": pl.Float64(),  # share of all labels but "unknown" that is right
    "low": pl.Float64(),
    "high": pl.Float64(),
}


def tally_verdicts(judged: pl.DataFrame) -> pl.DataFrame:
    """Count the verdicts on each label. Returns TALLY.

    judged: as `judge_labels` returns it, with `draw` as in the `checks` table. Intervals are
    Wilson's.
    """
    rows = judged.with_columns(within_finding=_IN_FINDING)
    counted = rows.group_by("attribute", "shown", "within_finding", maintain_order=True).agg(
        right=_count(RIGHT),
        wrong=_count(WRONG),
        cannot_say=_count(CANNOT_SAY),
        left=pl.col("verdict").is_null().sum(),
    )
    n = (pl.col("right") + pl.col("wrong")).cast(pl.Float64)
    known = (pl.col("shown") != UNKNOWN) & (n > 0)
    low, high = _make_interval(counted["right"], counted.select(n).to_series())
    tally = counted.with_columns(precision=pl.col("right") / n, low=low, high=high)
    judgeable = tally.with_columns(pl.when(known).then(pl.col("precision", "low", "high")))
    return check(judgeable, TALLY, table="tally")


def estimate_accuracy(judged: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Estimate for each attribute which share of its labels is right. Returns LABEL_ACCURACY.

    judged: as `tally_verdicts` takes it; what was drawn within a finding is left out. sizes:
    attribute, shown and size: how many samples have each label. The precision of a label counts by
    its size, so an attribute of which one label has no verdict yet is left out. The interval is
    Wilson's at Kish's effective sample size (Survey Sampling, 1965, section 11.7).
    """
    strata = (
        judged.filter(~_IN_FINDING)
        .group_by("attribute", "shown")
        .agg(right=_count(RIGHT), wrong=_count(WRONG))
    )
    n = (pl.col("right") + pl.col("wrong")).fill_null(0)
    summed = (
        sizes.filter(pl.col("shown") != UNKNOWN)
        .join(strata, on=["attribute", "shown"], how="left", maintain_order="left")
        .group_by("attribute", maintain_order=True)
        .agg(
            n=n.sum(),
            complete=(n > 0).all(),
            accuracy=(pl.col("size") * pl.col("right") / n).sum() / pl.col("size").sum(),
            effective=pl.col("size").sum() ** 2 / (pl.col("size") ** 2 / n).sum(),
        )
    )
    kept = summed.filter(pl.col("complete")).sort("attribute")
    low, high = _make_interval(kept["accuracy"] * kept["effective"], kept["effective"])
    kept = kept.with_columns(low=low, high=high).select(list(LABEL_ACCURACY))
    return check(kept, LABEL_ACCURACY, table="label accuracy")


_IN_FINDING = pl.col("draw") == "finding"


def _count(verdict: str) -> pl.Expr:
    return (pl.col("verdict") == verdict).sum().cast(pl.Int64)


def _make_interval(right: pl.Series, n: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the ends of Wilson's interval; NaN where n is 0."""
    counts: Floats = right.to_numpy().astype(np.float64)
    low, high = wilson_interval(counts, n.to_numpy().astype(np.float64))
    return pl.Series("low", low), pl.Series("high", high)
