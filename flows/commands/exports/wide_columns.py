"""The columns of a wide export: labels under their own names, all else under a prefix."""

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MARK = "sample.id"  # the column that every wide export has
LIMIT = "sample_limit"  # the column of exports of limited samples
# Before the first dot of a column that is no label: what it says of a sample.
PREFIXES = ("sample", "score", "truth", "error", "predicted", "confidence", "iou")


def drop_outputs(
    table: "pl.DataFrame", *, error: str, requested: Collection[str]
) -> tuple["pl.DataFrame", list[str]]:
    """Return a table that is to be searched without what is no label, and notes on what went.

    Of a wide export these are the columns with a prefix that were not requested, since errors of
    other systems and predicted classes would explain the error by itself, and the samples that the
    system has no error on. Other tables come back as they are.
    """
    if MARK not in table.columns:
        return table, []
    notes = []
    if empty := table[error].null_count():
        notes.append(f"{empty:,} samples without an error in {error!r} left out")
        table = table.filter(table[error].is_not_null())
    dropped = [
        name
        for name in table.columns
        if name not in requested
        and (name == LIMIT or ("." in name and name.split(".")[0] in PREFIXES))
    ]
    notes.append(f"columns of the export that are no labels left out: {', '.join(dropped)}")
    return table.drop(dropped), notes
