"""Attributes that were saved while browsing: each is part of the audit from the next run on."""

import dataclasses
from collections.abc import Collection, Iterable
from pathlib import Path

import polars as pl

from pipeline.exceptions import ConfigError
from pipeline.files.table_file import read_table
from pipeline.labels.attribute_file import Attribute, read_attribute
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.kept.kept_selections import Selection, SelectionJournal


@dataclasses.dataclass(frozen=True)
class SavedAttribute:
    """An attribute, and the CSV file of its values where these are given by sample."""

    attribute: Attribute
    labels: Path | None


def read_saved_attributes(workspace: Path, *, used: Collection[str]) -> tuple[SavedAttribute, ...]:
    """Return the attributes saved in a workspace that an audit does not use already.

    used: the names of those it does. Raises ConfigError where a file of one is gone or faulty.
    """
    saved = [one for one in SelectionJournal(workspace).read() if one.saved_as == "attribute"]
    return tuple(_read(one, workspace) for one in saved if one.name not in used)


def add_saved_columns(sample_set: SampleSet, saved: Iterable[SavedAttribute]) -> SampleSet:
    """Return a sample set with a column of values for each saved attribute that has some."""
    columns = sample_set.columns
    for one in saved:
        if one.labels is None or one.attribute.name in columns.columns:
            continue
        name = one.attribute.given_column
        table = read_table(one.labels, error=ConfigError)
        missing = [column for column in ("sample_id", name) if column not in table.columns]
        if missing:
            raise ConfigError(f"{one.labels}: has no column {', '.join(missing)}")
        own = table.select("sample_id", pl.col(name).cast(pl.String)).unique(
            "sample_id", keep="last", maintain_order=True
        )
        columns = columns.join(own, on="sample_id", how="left", maintain_order="left")
    return dataclasses.replace(sample_set, columns=columns)


def _read(selection: Selection, workspace: Path) -> SavedAttribute:
    file = Path(selection.file or "")
    labels = None if selection.labels is None else Path(selection.labels)
    for path in (file, labels):
        if path is not None and not path.is_file():
            raise ConfigError(
                f"{path}: the saved attribute {selection.name!r} is gone; put it back, or run "
                f"`weakspot selections remove {workspace} {selection.name}`"
            )
    return SavedAttribute(read_attribute(file, reference=f"saved: {file}"), labels)
