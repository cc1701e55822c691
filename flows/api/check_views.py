"""Counts of checks as the page shows them."""

import polars as pl

from pipeline.checks.checkers import measure_checkers
from pipeline.checks.tally import estimate_accuracy, tally_verdicts
from reports.pages.check_page import CheckedAttribute, CheckedLabel, CheckerPair


def view_tallies(judged: pl.DataFrame) -> tuple[CheckedLabel, ...]:
    """Return a row for each label, from what `judge_labels` returns; sorted."""
    tally = tally_verdicts(judged).sort("attribute", "within_finding", "shown")
    return tuple(
        CheckedLabel(interval=None if low is None else (low, high), **row)
        for row in tally.to_dicts()
        for low, high in [(row.pop("low"), row.pop("high"))]
    )


def view_accuracies(judged: pl.DataFrame, sizes: pl.DataFrame) -> tuple[CheckedAttribute, ...]:
    """Return how many labels of each attribute are right, where all of its labels have verdicts."""
    return tuple(
        CheckedAttribute(attribute, n, accuracy, (low, high))
        for attribute, n, accuracy, low, high in estimate_accuracy(judged, sizes).iter_rows()
    )


def view_pairs(labels: pl.DataFrame, checks: pl.DataFrame) -> tuple[CheckerPair, ...]:
    """Return how far each two checkers agree about some labels, by attribute."""
    asked = checks.join(labels, on=["sample_id", "attribute"], how="semi", maintain_order="left")
    found = measure_checkers(asked).filter(pl.col("n") > 0)
    return tuple(
        CheckerPair(*row)
        for row in found.select(
            "attribute", "checker", "other", "n", "agreement", "kappa"
        ).iter_rows()
    )
