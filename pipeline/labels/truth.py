"""True attribute values from a file, fitted to the samples."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Truth
from pipeline.exceptions import DatasetError
from pipeline.files.table_file import read_table
from pipeline.files.toml_file import nearest
from pipeline.labels.given import Meanings, make_labels, name_values, write_cells
from pipeline.labels.mappings import MappingFit, fit_mapping
from pipeline.tables import LABELS, empty


@dataclass(frozen=True)
class TruthLabels:
    """True labels and how well the truth file fits the samples.

    labels: the `labels` table with source "truth", every attribute for every sample.
    rows: of the file; unmatched_rows: rows that name no sample, or one of several samples.
    samples_without: samples that no row names; of objects alone where there are any.
    repeated_rows: rows that say the same of a sample as one before.
    fits: how each attribute's mapping fits the rows. problems: in words, for logs and report.
    """

    labels: pl.DataFrame
    rows: int
    unmatched_rows: int
    samples_without: int
    repeated_rows: int
    fits: tuple[MappingFit, ...]
    problems: tuple[str, ...]


def read_truth(truth: Truth, samples: pl.DataFrame) -> TruthLabels:
    """Read true attribute values and fit them to the samples.

    The key column names a sample by its sample_id, its path, its file name where that is unique,
    or its annotation id where that is unique, tried in this order. An object without a row of
    its own takes the values of its image. A cell that no value lists, or that makes two values
    of an attribute true, gives "unknown". Cells match as text, "1" like 1 and 1.0.
    Raises DatasetError for an unreadable file, missing columns, rows that contradict, or values
    whose cells are not there, naming the cells that are.
    """
    content, table = _read_table(truth)
    meanings = {
        name: {value: (meant.column, meant.cells) for value, meant in values.items()}
        for name, values in truth.attributes.items()
    }
    fits = tuple(
        fit_mapping(name, table, meant, where=f"[dataset.truth.{name}]")
        for name, meant in meanings.items()
    )
    if faults := [fault for fit in fits for fault in fit.faults]:
        raise DatasetError.from_problems(str(truth.file), faults)
    values = pl.DataFrame(
        {"key": _write_key(table[truth.key])}
        | {f"value of {name}": name_values(table, meant) for name, meant in meanings.items()}
    )
    once = _refuse_contradictions(values, truth.file)
    keyed = _match_samples(samples, once["key"])
    matched = keyed.join(once, on="key", how="left", maintain_order="left", nulls_equal=False)
    labels = [empty(LABELS)]
    for name, meant in meanings.items():
        label_id = _hash_truth(content, truth.key, meant)
        column = matched[f"value of {name}"]
        labels.append(make_labels(matched["sample_id"], column, name, "truth", label_id))
    has_objects = samples["parent_id"].null_count() < samples.height
    asked = samples.filter(pl.col("parent_id").is_not_null()) if has_objects else samples
    without = keyed.join(asked, on="sample_id", how="semi")["key"].null_count()
    used = keyed["key"].drop_nulls().implode()
    unmatched = len(values) - len(values.filter(pl.col("key").is_in(used)))
    repeated = len(values) - values["key"].null_count() - len(once)
    problems = _describe_gaps(truth, rows=len(values), unmatched=unmatched, without=without)
    if repeated:
        problems = (
            *problems,
            f"{truth.file}: {repeated} rows repeat another row; each counts once",
        )
    return TruthLabels(
        labels=pl.concat(labels),
        rows=len(values),
        unmatched_rows=unmatched,
        samples_without=without,
        repeated_rows=repeated,
        fits=fits,
        problems=problems,
    )


def _read_table(truth: Truth) -> tuple[bytes, pl.DataFrame]:
    """Return the file's bytes, for its hash, and the columns that are needed."""
    table = read_table(truth.file, error=DatasetError)
    meant = [meaning.column for values in truth.attributes.values() for meaning in values.values()]
    absent = [name for name in dict.fromkeys([truth.key, *meant]) if name not in table.columns]
    if absent:
        problems = [
            f"there is no column {name!r}; {nearest(name, table.columns)}" for name in absent
        ]
        raise DatasetError.from_problems(str(truth.file), problems)
    return truth.file.read_bytes(), table


def _hash_truth(content: bytes, key: str, meant: Meanings) -> str:
    digest = hashlib.sha256(content)
    digest.update(repr((key, list(meant.items()))).encode())
    return digest.hexdigest()[:16]


def _write_key(cells: pl.Series) -> pl.Series:
    return write_cells(cells).str.replace_all("\\", "/", literal=True).str.replace(r"^(\./)+", "")


def _refuse_contradictions(values: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Return the rows with a key, each once; raise where rows of one key differ."""
    once = values.drop_nulls("key").unique(maintain_order=True)
    twice = once.filter(pl.col("key").is_duplicated())["key"].unique().sort()
    if len(twice):
        shown = [f"{key!r} is on several rows with different values" for key in twice[:10]]
        more = [f"and {len(twice) - 10} more keys"] if len(twice) > 10 else []
        hint = "one row a sample is expected; objects are named by their annotation id"
        raise DatasetError.from_problems(str(path), [*shown, *more, hint])
    return once


def _match_samples(samples: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """Return sample_id and the key of the row that describes it, null when there is none."""
    is_image = pl.col("parent_id").is_null()
    named = samples.select(
        "sample_id",
        "parent_id",
        is_image=is_image,
        path=_write_key(samples["path"]),
        name=_write_key(samples["path"].str.split("/").list.last()),
        annotation=_write_key(samples["annotation_id"]),
    )
    # Only images are known by path or name: an object has its image's.
    candidates = named.select(
        "sample_id",
        "parent_id",
        by_path=pl.when("is_image").then("path"),
        by_name=pl.when(pl.col("is_image") & _is_unique("name", "is_image")).then("name"),
        by_annotation=pl.when(_is_unique("annotation")).then("annotation"),
    )
    known = keys.implode()
    tried = ("sample_id", "by_path", "by_name", "by_annotation")
    own = pl.coalesce(pl.when(pl.col(way).is_in(known)).then(way) for way in tried)
    keyed = candidates.select("sample_id", "parent_id", key=own)
    parents = keyed.select(parent_id="sample_id", parent_key="key")
    joined = keyed.join(parents, on="parent_id", how="left", maintain_order="left")
    return joined.select("sample_id", key=pl.coalesce("key", "parent_key"))


def _is_unique(column: str, *within: str) -> pl.Expr:
    return pl.col(column).count().over(column, *within) == 1


def _describe_gaps(truth: Truth, *, rows: int, unmatched: int, without: int) -> tuple[str, ...]:
    problems: list[str] = []
    if unmatched:
        message = f"{truth.file}: {unmatched} of {rows} rows name no sample by {truth.key!r}"
        problems.append(f"{message} (sample id, path, file name or annotation id)")
    if without:
        problems.append(f"{truth.file}: {without} samples have no row; their truth is 'unknown'")
    return tuple(problems)
