"""Rows of a user's table of outputs, each joined to the sample that it is about."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import PredictionsError
from pipeline.files.csv_cells import restore_known
from pipeline.files.table_file import list_rows, read_table, to_text
from pipeline.files.toml_file import nearest

KEYS = ("sample_id", "path", "annotation_id")
ROW = "__row"  # the row's number in its file, from 0
FILE = "__file"  # the name of its file


@dataclass(frozen=True)
class JoinedRows:
    """rows: the tables' columns with ROW, FILE and `sample_id`; unmatched: a count."""

    rows: pl.DataFrame
    unmatched: int


def read_rows(path: Path, *, needs: Sequence[str] = ()) -> pl.DataFrame:
    """Read a table of outputs with the columns ROW and FILE.

    Raises PredictionsError if it cannot be read, a column of `needs` is missing, or no column
    names samples.
    """
    table = read_table(path, error=PredictionsError)
    problems = [
        f"column {name!r} is missing; {nearest(name, table.columns)}"
        for name in needs
        if name not in table.columns
    ]
    if not set(KEYS) & set(table.columns):
        found = ", ".join(table.columns)
        problems.append(f"expected a column 'sample_id', 'path' or 'annotation_id', found {found}")
    if problems:
        raise PredictionsError.from_problems(str(path), problems)
    return table.with_columns(pl.int_range(pl.len()).alias(ROW), pl.lit(path.name).alias(FILE))


def read_numbers(
    table: pl.DataFrame, columns: Sequence[str], *, highest: float | None = None
) -> pl.DataFrame:
    """Return the table with `columns` as floats, each >= 0 and at most `highest`.

    Raises PredictionsError naming the rows where a cell is empty, no number, NaN, infinite,
    negative or too large.
    """
    numbers = table.with_columns(pl.col(columns).cast(pl.Float64, strict=False))
    problems = []
    for name in columns:
        raw, value = table[name], numbers[name]
        tests = {
            "is empty": raw.is_null(),
            "is not a number": raw.is_not_null() & value.is_null(),
            "is NaN": value.is_nan(),
            "is infinite": value.is_infinite(),
            "is negative": value.is_finite() & (value < 0),
        }
        if highest is not None:
            tests[f"is above {highest:g}"] = value.is_finite() & (value > highest)
        for fault, test in tests.items():
            if (found := test.fill_null(value=False)).any():
                problems.append(f"column {name!r} {fault} in {list_rows(_row_numbers(found))}")
    if problems:
        raise PredictionsError.from_problems(str(table[FILE][0]), problems)
    return numbers


def keep_outputs(table: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Keep what names rows and samples, and `columns`: a user's other columns can hold anything."""
    names = [name for name in (ROW, FILE, *KEYS) if name in table.columns]
    return table.select(*names, *[name for name in columns if name not in names])


def join_rows(tables: Sequence[pl.DataFrame], samples: pl.DataFrame) -> JoinedRows:
    """Give every row of the tables that `read_rows` read the sample it is about.

    A row names its sample by `sample_id`, or by `path` (relative to the dataset's root), for
    objects together with `annotation_id` or by that alone where it is unique. Raises
    PredictionsError if a table has no such column, a key names several samples, two rows are
    about one sample, or no row is about any.
    """
    joined = [_join_one(table, samples) for table in tables]
    rows = pl.concat(joined, how="diagonal")
    repeated = rows.filter(pl.col("sample_id").is_duplicated())
    if not repeated.is_empty():
        problems = [
            f"{file}: {list_rows(group[ROW].to_list())}"
            for (file,), group in repeated.group_by(FILE, maintain_order=True)
        ]
        raise PredictionsError.from_problems("a sample has more than one row", problems)
    total = sum(table.height for table in tables)
    if rows.is_empty() and total:
        key = _choose_keys(tables[0], samples)[0]
        raise PredictionsError(
            f"{tables[0][FILE][0]}: none of its rows is about a sample of the dataset; its first "
            f"{key} is {tables[0][key][0]!r}, the first of the dataset is {samples[key][0]!r}"
        )
    return JoinedRows(rows=rows, unmatched=total - rows.height)


def _join_one(table: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    if table.is_empty():
        return table.drop(KEYS, strict=False).with_columns(samples["sample_id"].clear())
    keys = _choose_keys(table, samples)
    file = table[FILE][0]
    table = table.with_columns(to_text(table[key]).alias(key) for key in keys)
    for key in keys:
        if table[key].null_count():
            rows = list_rows(_row_numbers(table[key].is_null()))
            raise PredictionsError(f"{file}: column {key!r} is empty in {rows}")
    if "path" in keys:
        paths = [posixpath.normpath(path) for path in table["path"].to_list()]
        named = restore_known(pl.Series("path", paths, dtype=pl.String), samples["path"])
        table = table.with_columns(named)  # of files that `classify` or `export` wrote as CSV
    names = samples.select("sample_id", *[key for key in keys if key != "sample_id"])
    shared = names.filter(pl.struct(keys).is_duplicated()).join(table, on=keys, how="semi")
    if not shared.is_empty():
        raise PredictionsError(
            f"{file}: {' and '.join(keys)} {shared[keys[0]][0]!r} names several samples; give "
            "sample_id, or both path and annotation_id"
        )
    others = table.drop([key for key in KEYS if key not in keys], strict=False)
    return others.join(names, on=keys, how="inner", maintain_order="left")


def _choose_keys(table: pl.DataFrame, samples: pl.DataFrame) -> list[str]:
    """Choose the columns that name samples: sample_id alone, or those of path and annotation_id."""
    if "sample_id" in table.columns:
        return ["sample_id"]
    by_object = bool(samples["parent_id"].is_not_null().any())
    usable = ("path", "annotation_id") if by_object else ("path",)
    keys = [key for key in usable if key in table.columns]
    if not keys:
        wanted = " or ".join(repr(key) for key in ("sample_id", *usable))
        raise PredictionsError(f"{table[FILE][0]}: expected a column {wanted} to name its samples")
    return keys


def _row_numbers(test: pl.Series) -> list[int]:
    return test.arg_true().to_list()
