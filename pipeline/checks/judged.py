"""What the answers of one checker say of the labels that were drawn."""

import polars as pl

from pipeline.tables import Schema, check, empty
from pipeline.vocabulary import CANNOT_SAY, RIGHT, WRONG

PAIRS: Schema = {  # one row an attribute and two checkers
    "attribute": pl.String(),
    "first": pl.String(),  # checkers, in the order of their names
    "second": pl.String(),
    "n": pl.Int64(),  # labels that both called right or wrong
    "agreement": pl.Float64(),  # share of them with one verdict
    "kappa": pl.Float64(),
}
_KEY = ["sample_id", "attribute"]


def judge_labels(labels: pl.DataFrame, checks: pl.DataFrame, *, checker: str) -> pl.DataFrame:
    """Return labels in their order, each with a checker's verdict on it.

    labels: sample_id, attribute, shown (the label), further columns. checks: the `checks` table.
    Adds `verdict` (right, wrong, cannot say; null where there is no answer) and `value`, the true
    value (null where it is not known). An answer to an earlier label of the sample counts through
    the true value that it gave; where it gave none, the new label has no answer yet.
    """
    own = checks.filter(pl.col("checker") == checker).unique(_KEY, keep="last")
    answers = own.select(*_KEY, "answer", "value", judged="shown")
    same = pl.col("judged") == pl.col("shown")
    verdict = (
        pl.when(pl.col("answer") == CANNOT_SAY)
        .then(pl.lit(CANNOT_SAY))
        .when(pl.col("value") == pl.col("shown"))
        .then(pl.lit(RIGHT))
        .when(pl.col("value").is_not_null())
        .then(pl.lit(WRONG))
        .when(same & (pl.col("answer") == WRONG))
        .then(pl.lit(WRONG))
    )
    joined = labels.join(answers, on=_KEY, how="left", maintain_order="left")
    return joined.with_columns(verdict=verdict).drop("answer", "judged")


def compare_checkers(labels: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """Return how far two checkers agree about labels, one row an attribute and a pair.

    labels, checks: as `judge_labels` takes them. Returns PAIRS; those without a common label are
    left out. Kappa is Cohen's (1960), null where chance alone would always agree.
    """
    names = sorted(checks["checker"].unique().to_list())
    judged = {name: judge_labels(labels, checks, checker=name) for name in names}
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    found = [_compare(judged[one], judged[other], one, other) for one, other in pairs]
    frames = [empty(PAIRS), *(check(frame, PAIRS, table="pairs") for frame in found)]
    return pl.concat(frames).sort("attribute", "first", "second")


def _compare(one: pl.DataFrame, other: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    said = pl.col("verdict").is_in([RIGHT, WRONG])
    both = (
        one.filter(said)
        .select(*_KEY, own=pl.col("verdict") == RIGHT)
        .join(other.filter(said).select(*_KEY, others=pl.col("verdict") == RIGHT), on=_KEY)
    )
    own, others = pl.col("own").mean(), pl.col("others").mean()
    counted = both.group_by("attribute").agg(
        n=pl.len(),
        agreement=(pl.col("own") == pl.col("others")).mean(),
        chance=own * others + (1 - own) * (1 - others),
    )
    kappa = (pl.col("agreement") - pl.col("chance")) / (1 - pl.col("chance"))
    return counted.select(
        "attribute",
        first=pl.lit(first),
        second=pl.lit(second),
        n="n",
        agreement="agreement",
        kappa=pl.when(pl.col("chance") < 1).then(kappa),
    )
