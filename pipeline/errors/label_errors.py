"""Errors of the audit's own labels: 1 where a label is not what is known to be true."""

import polars as pl

from pipeline.errors.scored import Losses
from pipeline.tables import CLASS_MATCHES, check
from pipeline.vocabulary import UNKNOWN


def score_labels(judged: pl.DataFrame) -> Losses:
    """Compare the labels of one attribute with the true values of the same samples.

    judged: sample_id, given (the label), true and score, of samples whose truth is known. The error
    is 1 where the label is wrong, else 0; a sample labelled "unknown" has none, and is counted in
    the note `labels_unknown`. The matches are of classes, as those of a classifier.
    """
    labelled = judged.filter(pl.col("given") != UNKNOWN).sort("sample_id")
    wrong = (pl.col("given") != pl.col("true")).cast(pl.Float64)
    matches = labelled.select("sample_id", "true", predicted="given", score="score")
    return Losses(
        losses=labelled.select("sample_id", error=wrong),
        errors_without_sample=0,
        notes={"labels_unknown": judged.height - labelled.height},
        matches=check(matches, CLASS_MATCHES, table="class matches"),
    )
