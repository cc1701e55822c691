"""How well labels agree with true ones."""

import polars as pl

from pipeline.tables import check
from pipeline.vocabulary import UNKNOWN

AGREEMENT = {  # one row an attribute
    "attribute": pl.String(),
    "n": pl.Int64(),  # samples whose truth is known
    "coverage": pl.Float64(),  # share of them whose label is not "unknown"
    "accuracy": pl.Float64(),  # share right of those covered; null when there are none
    "kappa": pl.Float64(),  # agreement beyond chance on those covered; null when there is none
}
VALUE_QUALITY = {  # one row a value that is true or labelled anywhere
    "attribute": pl.String(),
    "value": pl.String(),
    "n_true": pl.Int64(),
    "n_labelled": pl.Int64(),
    "n_right": pl.Int64(),
    "precision": pl.Float64(),  # n_right / n_labelled; null when none is labelled
    "recall": pl.Float64(),  # n_right / n_true; null when none is true
}
CONFUSION = {
    "attribute": pl.String(),
    "truth": pl.String(),
    "value": pl.String(),  # the label, "unknown" included
    "n": pl.Int64(),
}


def count_confusion(labels: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Count the samples of each true value and label.

    labels, truth: `labels` tables; each attribute in both is compared on the samples whose
    truth is not "unknown". Returns attribute, truth, value, n; pairs that do not occur are left
    out; sorted.
    """
    known = truth.filter(pl.col("value") != UNKNOWN)
    pairs = labels.select("sample_id", "attribute", "value").join(
        known.select("sample_id", "attribute", truth="value"), on=["sample_id", "attribute"]
    )
    counts = pairs.group_by("attribute", "truth", "value").agg(n=pl.len())
    return check(counts, CONFUSION, table="confusion").sort("attribute", "truth", "value")


def measure_values(labels: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return precision and recall of each value.

    labels, truth: `labels` tables. A sample labelled "unknown" counts against recall, not
    against precision. Sorted by attribute and value.
    """
    counts = count_confusion(labels, truth)
    right = counts.filter(pl.col("truth") == pl.col("value"))
    true = counts.group_by("attribute", value="truth").agg(n_true=pl.sum("n"))
    labelled = counts.group_by("attribute", "value").agg(n_labelled=pl.sum("n"))
    on = ["attribute", "value"]
    values = (
        true.join(labelled.filter(pl.col("value") != UNKNOWN), on=on, how="full", coalesce=True)
        .join(right.select("attribute", "value", n_right="n"), on=on, how="left")
        .with_columns(pl.col("n_true", "n_labelled", "n_right").fill_null(0))
        .with_columns(
            precision=_divide(pl.col("n_right"), pl.col("n_labelled")),
            recall=_divide(pl.col("n_right"), pl.col("n_true")),
        )
    )
    return check(values, VALUE_QUALITY, table="value quality").sort(on)


def measure_agreement(labels: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return coverage, accuracy and kappa of each attribute.

    labels, truth: `labels` tables. Kappa is Cohen's (1960): (accuracy - chance) / (1 - chance),
    chance being the agreement of labels that kept both frequencies but knew nothing.
    """
    counts = count_confusion(labels, truth)
    covered = counts.filter(pl.col("value") != UNKNOWN)
    per = covered.group_by("attribute").agg(
        covered=pl.sum("n"),
        right=pl.col("n").filter(pl.col("truth") == pl.col("value")).sum(),
    )
    chance = _count_chance(covered)
    agreement = (
        counts.group_by("attribute")
        .agg(n=pl.sum("n"))
        .join(per, on="attribute", how="left")
        .join(chance, on="attribute", how="left")
        .with_columns(
            coverage=pl.col("covered").fill_null(0) / pl.col("n"),
            accuracy=pl.col("right") / pl.col("covered"),
        )
        .with_columns(chance=pl.col("chance") / pl.col("covered").cast(pl.Float64).pow(2))
        .with_columns(
            kappa=_divide(pl.col("accuracy") - pl.col("chance"), 1 - pl.col("chance")),
        )
        .select(list(AGREEMENT))
    )
    return check(agreement, AGREEMENT, table="agreement").sort("attribute")


def _count_chance(covered: pl.DataFrame) -> pl.DataFrame:
    """Return for each attribute the sum over values of n_true * n_labelled."""
    true = covered.group_by("attribute", value="truth").agg(n_true=pl.sum("n"))
    labelled = covered.group_by("attribute", "value").agg(n_labelled=pl.sum("n"))
    both = true.join(labelled, on=["attribute", "value"], how="left")
    product = pl.col("n_true").cast(pl.Float64) * pl.col("n_labelled").fill_null(0)
    return both.group_by("attribute").agg(chance=product.sum())


def _divide(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    return pl.when(under > 0).then(over / under)
