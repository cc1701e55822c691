"""A CSV or Parquet file that lists images, with their category, split and further columns."""

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.files.table_file import read_table, to_text
from pipeline.files.toml_file import nearest
from pipeline.samples.categories import keep_categories
from pipeline.samples.folder import check_folders
from pipeline.samples.paths import PathRefusedError, clean_path, is_text
from pipeline.samples.sample_set import IMAGES, Listing, make_rejects


def list_table(dataset: Dataset) -> Listing:
    """List the images named by the `path` column of a table, relative to the dataset's root.

    `category` and `split` are taken where there are such columns. With `split` in the audit, only
    its rows are kept; all rows get it if the table has no such column. Rows whose path is refused
    or repeated are rejects. Raises DatasetError if the table cannot be read or has no `path`.
    """
    check_folders(dataset)
    if dataset.table is None:
        raise DatasetError('dataset.table: name the CSV or Parquet file of format = "table"')
    raw = read_table(dataset.table, error=DatasetError)
    if "path" not in raw.columns:
        hint = nearest("path", raw.columns)
        raise DatasetError(f"{dataset.table}: column 'path' is missing; {hint}")
    table = pl.DataFrame([to_text(column) for column in raw.iter_columns()])
    kept, rejects = _clean_rows(table, where=dataset.table.name)
    kept, other_split = _keep_split(kept, dataset.split, where=str(dataset.table))
    images = pl.DataFrame(
        {
            "path": kept["path"],
            "category": kept["category"] if "category" in kept.columns else None,
            "split": kept["split"] if "split" in kept.columns else dataset.split,
            "stated_width": None,
            "stated_height": None,
        },
        schema=dict(IMAGES),
    ).sort("path")
    images, other = keep_categories(images, dataset, where=str(dataset.table))
    return Listing(
        images=images,
        rejects=make_rejects(rejects),
        counts={"other_split": other_split, "other_category": other},
        extra=kept.drop(["category", "split"], strict=False),
    )


def _clean_rows(table: pl.DataFrame, *, where: str) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Clean the paths; return the rows that can be used and (path, reason) of the others."""
    rejects: list[tuple[str, str]] = []
    first_row: dict[str, int] = {}
    cleaned: list[str] = []
    rows: list[int] = []
    for row, written in enumerate(table["path"].to_list()):
        try:
            path = clean_path(written or "")
        except PathRefusedError as refusal:
            rejects.append((written or "", f"{where} row {row + 1}: {refusal}"))
            continue
        if not is_text(path):
            rejects.append((path, f"{where} row {row + 1}: the path is not valid UTF-8"))
        elif path in first_row:
            reason = f"{where} row {row + 1}: the same path as row {first_row[path] + 1}"
            rejects.append((path, reason))
        else:
            first_row[path] = row
            cleaned.append(path)
            rows.append(row)
    kept = table[rows].with_columns(pl.Series("path", cleaned, dtype=pl.String))
    return kept, rejects


def _keep_split(table: pl.DataFrame, split: str | None, *, where: str) -> tuple[pl.DataFrame, int]:
    if split is None or "split" not in table.columns:
        return table, 0
    kept = table.filter(pl.col("split") == split)
    if kept.is_empty():
        known = table["split"].drop_nulls().unique().to_list()
        raise DatasetError(f"{where}: no row has split {split!r}; {nearest(split, known)}")
    return kept, table.height - kept.height
