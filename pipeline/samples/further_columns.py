"""Columns for a dataset of any format, from a table beside it: what is known of its samples."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Columns
from pipeline.exceptions import DatasetError
from pipeline.files.table_file import list_rows, read_table, to_text
from pipeline.files.toml_file import nearest

_KEYS = ("sample_id", "path", "annotation_id")


@dataclass(frozen=True)
class JoinedColumns:
    """columns: as given, with those of the table. unmatched_rows: that name no sample."""

    columns: pl.DataFrame
    unmatched_rows: int


def join_columns(asked: Columns, samples: pl.DataFrame, columns: pl.DataFrame) -> JoinedColumns:
    """Join the columns of a CSV or Parquet file to those of the samples.

    samples: the `samples` table. columns: sample_id and the dataset's own columns, one row a
    sample. A row names its sample by sample_id, by path (as the dataset has it, or a file name
    that is unique), for objects together with annotation_id or by that alone where it is unique;
    with a path alone it speaks of the image and its objects. With a key of its own that column is
    the first of sample_id, path and annotation_id by which a row finds a sample. Raises
    DatasetError for a file that cannot be read, has no such key, no other column, one that the
    dataset has, a key twice, or names no sample.
    """
    file = asked.file
    table = read_table(file, error=DatasetError)
    if asked.key is not None:
        table = _name_key(asked.key, file, table, samples)
    keys = _choose_keys(file, table)
    names = [name for name in table.columns if name not in _KEYS]
    taken = [name for name in names if name in columns.columns]
    if taken or not names:
        problem = f"has {', '.join(map(repr, taken))} already; rename" if taken else "needs columns"
        raise DatasetError(f"{file}: the dataset {problem} beside {' and '.join(keys)}")
    rows = _clean_keys(table, keys).with_columns(to_text(table[name]) for name in names)
    unnamed = rows.height - rows.drop_nulls(list(keys)).height
    rows = _refuse_repeats(file, rows, keys)
    named = _name_samples(samples, keys, known=rows[keys[0]])
    joined = named.join(rows, on=list(keys), how="inner")
    if joined.is_empty():
        first = {key: rows[key][0] for key in keys} if rows.height else {}
        there = {key: samples[key].drop_nulls().first() for key in keys}
        raise DatasetError(
            f"{file}: no row names a sample by {' and '.join(keys)}; its first row has {first}, "
            f"the first sample {there}"
        )
    unmatched = rows.join(named, on=list(keys), how="anti").height + unnamed
    found = joined.select("sample_id", *names)
    return JoinedColumns(
        columns.join(found, on="sample_id", how="left", maintain_order="left"), unmatched
    )


def _name_key(key: str, file: Path, table: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Call the key by what it names: the first of _KEYS by which a row finds a sample."""
    if key not in table.columns:
        raise DatasetError(f"{file}: there is no column {key!r}; {nearest(key, table.columns)}")
    rest = table.drop([name for name in _KEYS if name != key], strict=False)
    for name in _KEYS:
        renamed = rest.rename({key: name})
        known = _clean_keys(renamed, (name,))[name]
        named = _name_samples(samples, (name,), known=known)
        if named[name].is_in(known.drop_nulls().implode()).any():
            return renamed
    return rest.rename({key: "path"})


def _clean_keys(table: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return the keys as text, paths as the dataset has them."""
    cells = pl.DataFrame([to_text(table[key]).str.strip_chars().alias(key) for key in keys])
    if "path" not in keys:
        return cells
    clean = pl.col("path").str.replace_all("\\", "/", literal=True).str.replace(r"^(\./)+", "")
    return cells.with_columns(clean)


def _choose_keys(file: Path, table: pl.DataFrame) -> tuple[str, ...]:
    if "sample_id" in table.columns:
        return ("sample_id",)
    keys = tuple(key for key in ("path", "annotation_id") if key in table.columns)
    if not keys:
        found = ", ".join(table.columns)
        wanted = "expected a column 'path', 'annotation_id' or 'sample_id'"
        raise DatasetError(f"{file}: {wanted} to name samples, found {found}")
    return keys


def _refuse_repeats(file: Path, rows: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return each row once; raise where rows of one key differ."""
    whole = rows.drop_nulls(list(keys))
    once = whole.unique(maintain_order=True)
    twice = once.filter(pl.struct(keys).is_duplicated())
    if not twice.is_empty():
        key = twice.row(0, named=True)
        shown = " and ".join(f"{name} {key[name]!r}" for name in keys)
        same = pl.all_horizontal(pl.col(name) == key[name] for name in keys)
        at = rows.select(same.fill_null(value=False)).to_series().arg_true().to_list()
        raise DatasetError(f"{file}: {shown} is in {list_rows(at)} with different values")
    return once


def _name_samples(
    samples: pl.DataFrame, keys: tuple[str, ...], *, known: pl.Series
) -> pl.DataFrame:
    """Return sample_id and the keys by which the table can name each sample."""
    named = samples.select("sample_id", "path", "annotation_id", "parent_id")
    if keys == ("annotation_id",):
        unique = pl.col("annotation_id").count().over("annotation_id") == 1
        return named.filter(unique).select("sample_id", "annotation_id")
    if "path" not in keys:
        return named.select("sample_id")
    # A path that is in the table is that; else its file name, where one image has it.
    last = pl.col("path").str.split("/").list.last()
    is_image = pl.col("parent_id").is_null()
    paths = named.filter(is_image).select("path", name=last)
    lone = paths.filter(pl.col("name").count().over("name") == 1)
    named = named.join(lone, on="path", how="left", maintain_order="left")
    short = ~pl.col("path").is_in(known.implode()) & pl.col("name").is_not_null()
    own = pl.when(short).then("name").otherwise("path").alias("path")
    return named.with_columns(own).select("sample_id", *keys)
