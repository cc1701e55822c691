"""Labels that come with the data: columns of the dataset."""

from collections.abc import Mapping

import polars as pl

from pipeline.exceptions import DatasetError
from pipeline.files.toml_file import nearest
from pipeline.labels.attribute_file import Attribute
from pipeline.tables import LABELS, check
from pipeline.vocabulary import UNKNOWN

# value -> the column, and the cells of it that mean the value
Meanings = Mapping[str, tuple[str, tuple[str, ...]]]


def select_targets(samples: pl.DataFrame, attribute: Attribute) -> pl.DataFrame:
    """Return the samples that the attribute labels.

    Where objects are samples (`parent_id` is set) these are the objects, or for
    `applies_to = "image"` the images that hold them; else every image.
    """
    is_object = pl.col("parent_id").is_not_null()
    if samples["parent_id"].null_count() == len(samples):
        return samples
    return samples.filter(is_object if attribute.applies_to == "object" else ~is_object)


def label_given(attribute: Attribute, columns: pl.DataFrame, *, label_id: str) -> pl.DataFrame:
    """Give each sample the cell of the attribute's column.

    columns: sample_id and the column, of any type; one row a sample. Cells become text without
    spaces around it, whole numbers without ".0"; with `values` in the attribute file, cells are
    turned into those. Empty cells, and cells that no value lists, give "unknown". Returns the
    `labels` table without score and margin. Raises DatasetError naming the nearest column.
    """
    name = find_column(attribute, columns)
    cells = write_cells(columns[name])
    if attribute.values:
        meanings = {value: (name, listed) for value, listed in attribute.values.items()}
        cells = name_values(columns, meanings)
    return make_labels(columns["sample_id"], cells, attribute.name, "given", label_id)


def find_column(attribute: Attribute, columns: pl.DataFrame) -> str:
    """Return the column of a given attribute. Raises DatasetError naming the nearest one."""
    name = attribute.given_column
    known = [column for column in columns.columns if column != "sample_id"]
    if name not in known:
        message = f"attribute {attribute.name!r}: the dataset has no column {name!r}"
        raise DatasetError(f"{message}; {nearest(name, known)}")
    return name


def write_cells(cells: pl.Series) -> pl.Series:
    """Write cells as text of one form: 1, 1.0, " 1" and "+1" become "1"; empty ones null.

    Raises DatasetError for a column of lists, structs or bytes.
    """
    if cells.dtype.is_nested() or cells.dtype == pl.Binary:
        raise DatasetError(f"column {cells.name!r} holds {cells.dtype}; expected text or numbers")
    text = cells.cast(pl.String).str.strip_chars()
    text = text.str.replace(r"^\+(\d)", "${1}").str.replace(r"^(-?\d+)\.0*$", "${1}")
    text = text.str.replace(r"^(-?\d+\.\d*[1-9])0+$", "${1}").str.replace("^-0$", "0")
    return text.set(text == "", None)


def name_values(table: pl.DataFrame, meanings: Meanings) -> pl.Series:
    """Return for each row the one value whose cells it holds; null when none or several do.

    Cells match as `write_cells` has them.
    """
    hits = {
        value: write_cells(table[column])
        .is_in(write_cells(pl.Series(cells, dtype=pl.String)).implode())
        .fill_null(value=False)
        for value, (column, cells) in meanings.items()
    }
    chosen = pl.Series([None], dtype=pl.String).new_from_index(0, len(table))
    for value, hit in hits.items():
        chosen = chosen.set(hit, value)
    several = pl.DataFrame(hits).sum_horizontal() > 1 if hits else None
    return chosen if several is None else chosen.set(several, None)


def make_labels(
    sample_ids: pl.Series, values: pl.Series, attribute: str, source: str, label_id: str
) -> pl.DataFrame:
    """Return the `labels` table of values without score and margin; null is "unknown"."""
    frame = pl.DataFrame({"sample_id": sample_ids, "value": values.fill_null(UNKNOWN)})
    return check(
        frame.select(
            "sample_id",
            "value",
            attribute=pl.lit(attribute),
            source=pl.lit(source),
            score=None,
            margin=None,
            label_id=pl.lit(label_id),
        ),
        LABELS,
        table="labels",
    )
