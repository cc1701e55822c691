"""What the answers of one checker say of the labels that were drawn."""

import polars as pl

from pipeline.vocabulary import CANNOT_SAY, RIGHT, WRONG

_KEY = ["sample_id", "attribute"]


def judge_labels(labels: pl.DataFrame, checks: pl.DataFrame, *, checker: str) -> pl.DataFrame:
    """Return labels in their order, each with a checker's verdict on it.

    labels: sample_id, attribute, shown (the label), further columns. checks: the `checks` table.
    Adds `verdict` (right, wrong, cannot say; null where there is no answer), `value`, the true
    value (null where it is not known), and `inclusion` of the answer. An answer to an earlier label
    of the sample counts through the true value that it gave; where it gave none, the new label has
    no answer yet.
    """
    own = checks.filter(pl.col("checker") == checker).unique(_KEY, keep="last")
    answers = own.select(*_KEY, "answer", "value", "inclusion", judged="shown")
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
