"""Checks of what a comparison of groups is given."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.exceptions import TableError


def check_inputs(
    attributes: pl.DataFrame,
    errors: Floats,
    *,
    used: Sequence[str],
    columns: Mapping[str, pl.Series | None],
    max_level: int,
    min_group: int,
) -> None:
    """Raise TableError listing everything that cannot be used.

    used: the columns of `attributes` that are asked for. columns: further columns by their names.
    """
    problems = [
        *_check_errors(errors, rows=attributes.height),
        *_check_attributes(attributes, used),
        *_check_columns(columns, rows=attributes.height),
    ]
    if max_level not in (1, 2):
        problems.append(f"max_level is {max_level}, expected 1 or 2")
    if min_group < 2:
        problems.append(f"min_group is {min_group}, expected at least 2")
    if problems:
        raise TableError.from_problems("fairness", problems)


def refuse_repeats(sample_ids: pl.Series, *, what: str) -> None:
    """Raise TableError if a sample has `what` more than once: joined, its row would count twice."""
    repeated = sample_ids.drop_nulls().filter(sample_ids.drop_nulls().is_duplicated())
    if len(repeated):
        raise TableError(
            f"{repeated.n_unique()} samples have more than one {what}, e.g. {repeated.min()!r}; "
            "expected at most one each"
        )


def _check_errors(errors: Floats, *, rows: int) -> Iterator[str]:
    if errors.shape != (rows,):
        yield f"errors have the shape {errors.shape}, expected ({rows},), one per row"
        return
    wrong = int((~(np.isfinite(errors) & (errors >= 0))).sum())
    if wrong:
        yield f"{wrong} errors are negative or not finite, expected losses of at least 0"


def _check_attributes(attributes: pl.DataFrame, used: Sequence[str]) -> Iterator[str]:
    if not used:
        yield "no sensitive attribute is named, expected at least one"
    for name in dict.fromkeys(used):
        if name not in attributes.columns:
            yield f"attribute {name!r} is no column; there are {', '.join(attributes.columns)}"
        elif attributes[name].null_count():
            yield (
                f"attribute {name!r} is empty in {attributes[name].null_count()} rows; write "
                "'unknown' where a value is not known"
            )


def _check_columns(columns: Mapping[str, pl.Series | None], *, rows: int) -> Iterator[str]:
    for name, column in columns.items():
        if column is None:
            continue
        if len(column) != rows:
            yield f"{name} are {len(column)}, expected {rows}, one per row"
        if column.null_count():
            yield f"{name} are empty in {column.null_count()} rows"
        if name == "sample_ids" and column.n_unique() < len(column):
            yield f"{name} are not unique, expected an id of its own for each row"
