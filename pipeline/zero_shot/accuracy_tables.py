"""Accuracy of lines of prompts with intervals, worst classes, and confusions."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Ints
from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.statistics.intervals import wilson_interval
from pipeline.zero_shot.class_ranks import ClassRanks


def measure_accuracy(
    ranks: Mapping[str, ClassRanks], ks: Sequence[int], *, groups: pl.Series
) -> pl.DataFrame:
    """Return line, k, n, correct, accuracy, ci_low, ci_high and ties, one row a line and k.

    ranks: by line. groups: (n,) the image that each sample is of: samples of one are not
    independent. Intervals are of 95 %. ties: images of which correctness depends on the order of
    equal scores. Images whose true class is not known do not count.
    """
    rows = []
    for line, own in ranks.items():
        known = np.flatnonzero(own.above >= 0)
        for k in ks:
            right = own.is_right(k)[known]
            values = number_clusters(right.astype(np.float64), groups.gather(known))
            estimate = estimate_mean(values, np.arange(len(known)))
            low, high = estimate.interval
            rows.append(
                (line, k, len(known), int(right.sum()), estimate.value, low, high,
                 int(own.is_tied(k)[known].sum()))
            )  # fmt: skip
    names = ("line", "k", "n", "correct", "accuracy", "ci_low", "ci_high", "ties")
    return pl.DataFrame(rows, schema=names, orient="row")


def count_confusions(ranks: ClassRanks, truth: Ints, classes: Sequence[str]) -> pl.DataFrame:
    """Return true, predicted and n of every pair of classes that occurs, by class order."""
    known = truth >= 0
    pairs = pl.DataFrame({"t": truth[known], "p": ranks.predicted[known]})
    counted = pairs.group_by("t", "p").agg(pl.len().alias("n")).sort("t", "p")
    names = pl.Series(list(classes), dtype=pl.String)
    return counted.select(
        names.gather(counted["t"]).alias("true"), names.gather(counted["p"]).alias("predicted"), "n"
    )


def measure_classes(confusions: pl.DataFrame) -> pl.DataFrame:
    """Return class, n, accuracy, ci_low, ci_high, mistaken_for and mistakes, worst class first.

    confusions: as `count_confusions` returns them. mistaken_for: the class that its wrong images
    are most often given, null where none is wrong. Intervals are Wilson's.
    """
    right = pl.col("true") == pl.col("predicted")
    wrong = confusions.filter(~right).sort("n", "predicted", descending=[True, False])
    worst = wrong.group_by("true", maintain_order=True).agg(
        pl.col("predicted").first().alias("mistaken_for"), pl.col("n").first().alias("mistakes")
    )
    each = confusions.group_by("true", maintain_order=True).agg(
        pl.col("n").sum().alias("n"), pl.col("n").filter(right).sum().alias("correct")
    )
    count, n = (each[name].to_numpy().astype(np.float64) for name in ("correct", "n"))
    low, high = wilson_interval(count, n)
    table = each.with_columns(
        pl.Series("accuracy", count / n), pl.Series("ci_low", low), pl.Series("ci_high", high)
    ).join(worst, on="true", how="left", maintain_order="left")
    return table.rename({"true": "class"}).drop("correct").sort("accuracy", "class")
