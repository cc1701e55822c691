"""Counts of verdicts on labels, and the precision of labels that follows from them."""

import numpy as np
import polars as pl

from pipeline.statistics.intervals import wilson_interval
from pipeline.tables import Schema, check
from pipeline.vocabulary import CANNOT_SAY, RIGHT, UNKNOWN, WRONG

TALLY: Schema = {  # one row a label, in the order of its rows
    "attribute": pl.String(),
    "shown": pl.String(),
    "within_finding": pl.Boolean(),  # whether it was drawn within a finding alone
    "right": pl.Int64(),
    "wrong": pl.Int64(),
    "cannot_say": pl.Int64(),
    "left": pl.Int64(),  # without a verdict
    "effective": pl.Float64(),  # verdicts of equal weight that would be as certain
    "precision": pl.Float64(),  # weighted share right; null without a verdict, and of "unknown"
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
    """Count the verdicts on each label and estimate its precision. Returns TALLY.

    judged: as `judge_labels` returns it, with `draw` as in the `checks` table. A verdict weighs the
    inverse of its inclusion (Hajek's estimate); one without counts as an average one of the label.
    Intervals are Wilson's at Kish's effective sample size (Survey Sampling, 1965, section 11.7).
    """
    weighed = judged.with_columns(
        weight=pl.when(pl.col("verdict").is_in([RIGHT, WRONG])).then(1 / pl.col("inclusion")),
        in_finding=pl.col("draw") == "finding",
    )
    mean = pl.col("weight").mean().over("attribute", "shown").fill_null(1.0)
    said = pl.col("verdict").is_in([RIGHT, WRONG])
    weight = pl.when(said).then(pl.col("weight").fill_null(mean)).otherwise(0.0)
    weighed = weighed.with_columns(weight=weight)
    total, right = pl.col("weight").sum(), pl.col("weight").filter(pl.col("verdict") == RIGHT).sum()
    counted = weighed.group_by("attribute", "shown", maintain_order=True).agg(
        within_finding=pl.col("in_finding").all(),
        right=_count(RIGHT),
        wrong=_count(WRONG),
        cannot_say=_count(CANNOT_SAY),
        left=pl.col("verdict").is_null().sum(),
        effective=total**2 / (pl.col("weight") ** 2).sum(),
        precision=right / total,
    )
    tally = _add_interval(counted, "precision")
    known = (pl.col("shown") != UNKNOWN) & (pl.col("right") + pl.col("wrong") > 0)
    estimates = ("effective", "precision", "low", "high")
    return check(tally.with_columns(pl.when(known).then(pl.col(estimates))), TALLY, table="tally")


def estimate_accuracy(tally: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Estimate for each attribute which share of its labels is right. Returns LABEL_ACCURACY.

    tally: TALLY. sizes: attribute, shown and size: how many samples have each label. The precision
    of a label counts by its size, so an attribute is left out of which one label has no verdict
    yet, or was drawn within a finding alone. Intervals are as in `tally_verdicts`.
    """
    strata = tally.filter(~pl.col("within_finding"), pl.col("precision").is_not_null())
    size, effective = pl.col("size"), pl.col("effective")
    summed = (
        sizes.filter(pl.col("shown") != UNKNOWN)
        .join(strata, on=["attribute", "shown"], how="left", maintain_order="left")
        .group_by("attribute", maintain_order=True)
        .agg(
            n=(pl.col("right") + pl.col("wrong")).sum(),
            complete=pl.col("precision").is_not_null().all(),
            accuracy=(size * pl.col("precision")).sum() / size.sum(),
            effective=size.sum() ** 2 / (size**2 / effective).sum(),
        )
    )
    kept = _add_interval(summed.filter(pl.col("complete")).sort("attribute"), "accuracy")
    return check(kept.select(list(LABEL_ACCURACY)), LABEL_ACCURACY, table="label accuracy")


def _count(verdict: str) -> pl.Expr:
    return (pl.col("verdict") == verdict).sum().cast(pl.Int64)


def _add_interval(frame: pl.DataFrame, share: str) -> pl.DataFrame:
    """Add the ends of Wilson's interval of a share of `effective` rows; NaN without any."""
    n = frame["effective"].to_numpy().astype(np.float64)
    low, high = wilson_interval(frame[share].to_numpy().astype(np.float64) * n, n)
    return frame.with_columns(low=pl.Series(low), high=pl.Series(high))
