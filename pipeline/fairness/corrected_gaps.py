"""Gaps between groups as labelled, beside the gaps corrected for wrong labels."""

import polars as pl

from pipeline.exceptions import TableError
from pipeline.tables import CORRECTIONS, GAPS, check

_COLUMNS = {  # of GAPS: of CORRECTIONS
    "corrected_value": "corrected_error",
    "corrected_low": "corrected_low",
    "corrected_high": "corrected_high",
    "corrected_difference": "corrected_difference",
    "corrected_difference_low": "corrected_difference_low",
    "corrected_difference_high": "corrected_difference_high",
    "correction": "correction",
    "correction_note": "correction_note",
}


def list_compared(gaps: pl.DataFrame) -> list[list[dict[str, str]]]:
    """Return the groups whose errors are compared, in their order. gaps: GAPS."""
    groups: list[list[dict[str, str]]]
    groups = gaps.filter(pl.col("metric") == "error")["predicates"].to_list()
    return groups


def correct_gaps(gaps: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """Return GAPS with the corrected errors and differences of groups.

    gaps: GAPS. corrections: CORRECTIONS of the groups of `list_compared`, in their order, null
    where no label of a group was made by a model. Other metrics than the error are not corrected.
    Raises TableError when these are other groups.
    """
    corrected = check(corrections, CORRECTIONS, table="corrections")
    if corrected["predicates"].to_list() != list_compared(gaps):
        raise TableError("corrections: not of the groups that are compared, in their order")
    errors = gaps.with_row_index("row").filter(pl.col("metric") == "error").select("row")
    own = errors.hstack(corrected.select(pl.col(old).alias(new) for new, old in _COLUMNS.items()))
    joined = (
        gaps.drop(list(_COLUMNS))
        .with_row_index("row")
        .join(own, on="row", how="left", maintain_order="left")
    )
    return check(joined.select(list(GAPS)), GAPS, table="gaps")
