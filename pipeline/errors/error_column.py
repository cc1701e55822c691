"""Errors that the user counted: a column of a CSV or Parquet file."""

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.output_rows import join_rows, keep_outputs, read_numbers, read_rows
from pipeline.errors.scored import Losses


def score_table(system: System, samples: pl.DataFrame) -> Losses:
    """Take the error of each sample from the column that the system names.

    samples: the rows to score. Raises PredictionsError if the column is missing or a value is
    empty, no number, NaN, infinite or negative, with the row numbers.
    """
    column = system.error_column
    tables = [read_rows(path, needs=[column]) for path in system.predictions]
    tables = [keep_outputs(read_numbers(table, [column]), [column]) for table in tables]
    joined = join_rows(tables, samples)
    losses = joined.rows.select("sample_id", pl.col(column).alias("error"))
    return Losses(losses=losses, errors_without_sample=joined.unmatched)
