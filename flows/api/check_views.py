"""Counts of checks as the page shows them."""

import polars as pl

from pipeline.checks.checkers import measure_checkers
from pipeline.checks.tally import estimate_accuracy
from reports.pages.check_page import CheckedAttribute, CheckedLabel, CheckerPair


def view_tallies(tally: pl.DataFrame) -> tuple[CheckedLabel, ...]:
    """Return a row for each label of a TALLY, sorted."""
    return tuple(
        CheckedLabel(
            attribute=row["attribute"],
            shown=row["shown"],
            within_finding=row["within_finding"],
            right=row["right"],
            wrong=row["wrong"],
            cannot_say=row["cannot_say"],
            left=row["left"],
            precision=row["precision"],
            interval=None if row["low"] is None else (row["low"], row["high"]),
        )
        for row in tally.sort("attribute", "shown").to_dicts()
    )


def view_accuracies(tally: pl.DataFrame, sizes: pl.DataFrame) -> tuple[CheckedAttribute, ...]:
    """Return how many labels of each attribute are right, where all of its labels have verdicts."""
    return tuple(
        CheckedAttribute(attribute, n, accuracy, (low, high))
        for attribute, n, accuracy, low, high in estimate_accuracy(tally, sizes).iter_rows()
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
