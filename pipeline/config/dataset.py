"""The [dataset] of audit.toml: where samples come from, how objects are cut, what is true."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from pipeline.config.boxes import Boxes
from pipeline.config.dataset_formats import FORMATS, DatasetFormat, list_formats
from pipeline.config.section import FilePath, FilePaths, LocalPaths, Section
from pipeline.files.remote_path import is_remote, make_path

# What xmin, ymin, xmax, ymax of a Pascal VOC file mean: pixels counted from 1, the last included,
# as its development kit writes them; the same counted from 0; or edges, where a whole image of
# width w has xmin 0 and xmax w. Value: what is taken off xmin and added to xmax - xmin.
CORNERS: Mapping[str, tuple[int, int]] = {"from-1": (1, 1), "from-0": (0, 1), "edges": (0, 0)}


class CropRule(Section):
    """How the pixels of an object are cut from its image."""

    margin: float = Field(default=0.1, ge=0, le=5)  # of the box's side, added on each side
    square: bool = False  # widen the shorter side to the longer one, so that nothing is distorted
    # pixels; objects with a shorter visible side are not embedded: prompt labels are "unknown"
    min_size: float = Field(default=8, ge=1)
    # How a crop is brought to the encoder's size; "model": as the encoder was trained.
    interpolation: Literal["model", "nearest", "bilinear", "bicubic", "lanczos"] = "model"


class TruthValue(Section):
    """A value of a true attribute: the cells of `column` that mean it."""

    column: str
    cells: tuple[str, ...]


class Truth(BaseModel):
    """True attribute values from a CSV or Parquet file, one row a sample."""

    model_config = ConfigDict(extra="allow", frozen=True)

    file: FilePath  # CSV or Parquet
    key: str = "path"  # the column that names the sample: path, file name, sample or annotation id
    # By [dataset.truth.NAME]: for each value the cells of a column that mean it.
    attributes: dict[str, dict[str, TruthValue]] = Field(default={}, exclude=False)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: Any) -> Any:  # noqa: ANN401 - raw TOML
        """Turn each [dataset.truth.NAME] table into values; list all its faults at once."""
        if not isinstance(raw, dict) or "attributes" in raw:
            return raw
        rest = {key: value for key, value in raw.items() if not isinstance(value, dict)}
        unknown = sorted(set(rest) - {"file", "key"})
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}; known: file, key, [dataset.truth.NAME]")
        tables = {key: value for key, value in raw.items() if isinstance(value, dict)}
        attributes = {name: _read_truth_values(name, table) for name, table in tables.items()}
        return {**rest, "attributes": attributes}


def _read_truth_values(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """Read `column` with lists of cells, or {column, cells} for each value."""
    shared = table.get("column")
    values: dict[str, Any] = {}
    for value, cells in table.items():
        if value == "column":
            continue
        if isinstance(cells, dict):
            values[value] = {"column": shared, **cells}
        elif isinstance(cells, list) and shared is not None:
            values[value] = {"column": shared, "cells": [str(cell) for cell in cells]}
        else:
            raise ValueError(
                f"[dataset.truth.{name}] {value}: expected a list of cells beside a `column`, "
                'or {column = "...", cells = [...]}'
            )
    if not values:
        raise ValueError(f'[dataset.truth.{name}] names no value; write e.g. yes = ["1"]')
    return values


class Columns(Section):
    """Further columns for given attributes and targets; `columns = "FILE"` names the file alone."""

    file: FilePath  # CSV or Parquet, one row a sample
    # The column that names samples by sample_id, path, file name or annotation id; without it the
    # columns sample_id, path and annotation_id do, where they are there.
    key: str | None = None


def _name_file(raw: Any) -> Any:  # noqa: ANN401 - raw TOML
    """Let `columns = "more.csv"` name the file alone."""
    return {"file": raw} if isinstance(raw, str | Path) else raw


class Dataset(Section):
    """Where the samples come from."""

    format: str  # folder, table, coco, yolo or voc
    # Folders of images, or e.g. "s3://bucket/images"; paths of samples begin in what they share.
    images: FilePaths
    annotations: FilePaths = ()  # of the true boxes: for each folder of images a file or folder
    table: FilePath | None = None  # CSV or Parquet, one row an image
    # A file of further columns, or a table of file and key.
    columns: Annotated[Columns | None, BeforeValidator(_name_file)] = None
    # object: each box is a sample, its crop labelled; detection: each detection of the system
    sample: Literal["image", "object", "detection"] = "image"
    categories: tuple[str, ...] | None = None  # those to take, after renaming; all without it
    rename: dict[str, str] = Field(default={})  # category as written -> as the audit names it
    split: str | None = None  # of yolo, voc and a table: the part to take; else just a name
    boxes: Boxes | None = None
    crop: CropRule = CropRule()
    truth: Truth | None = None
    # Of voc: whether corners are pixels counted from 1 or from 0, or edges of the box.
    corners: Literal["from-1", "from-0", "edges"] | None = None
    follow_links: bool = False  # read linked folders, and links that lead out of the images
    link_roots: LocalPaths = ()  # folders that followed links may lead into; anywhere when empty

    @property
    def root(self) -> Path:
        """The folder that sample paths are relative to: that of the images, or what they share."""
        if len(self.images) == 1:
            return self.images[0]
        shared = os.path.commonpath(self.images)
        return make_path(shared.replace(":/", "://")) if is_remote(self.images[0]) else Path(shared)

    @property
    def format_record(self) -> DatasetFormat:
        """What the format needs and has."""
        return FORMATS[self.format]

    @property
    def has_true_boxes(self) -> bool:
        """Whether the format states where objects are."""
        return self.format_record.has_boxes

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str) -> str:
        if name not in FORMATS:
            known = list_formats(quote="'")
            raise ValueError(f"Input should be {known}")
        return name

    @model_validator(mode="before")
    @classmethod
    def _find_images(cls, raw: Any) -> Any:  # noqa: ANN401 - raw TOML
        """Take the folders of the annotation files as `images`, where the format allows it."""
        if not isinstance(raw, dict) or "images" in raw:
            return raw
        known = FORMATS.get(str(raw.get("format")))
        if known is None or not known.images_beside_annotations:
            return raw
        files = raw.get("annotations")
        files = [files] if isinstance(files, str | Path) else files
        if not isinstance(files, list | tuple) or not all(
            isinstance(file, str | Path) for file in files
        ):
            return raw
        return {**raw, "images": [str(Path(file).parent) for file in files]}

    @model_validator(mode="after")
    def _fits_format(self) -> "Dataset":
        if not self.images:
            raise ValueError("images: name at least one folder")
        if self.link_roots and not self.follow_links:
            raise ValueError("link_roots: used with follow_links = true alone; add that")
        if self.has_true_boxes and len(self.annotations) != len(self.images):
            raise ValueError(
                f"{self.format}: {len(self.annotations)} annotations for {len(self.images)} images "
                "folders; give lists of equal length"
            )
        if self.format_record.needs_table and self.table is None:
            raise ValueError('table: name the CSV or Parquet file, e.g. table = "samples.csv"')
        if self.corners is not None and self.format != "voc":
            raise ValueError(f"corners: not used by format {self.format!r}; remove it")
        if not self.has_true_boxes and self.annotations:
            raise ValueError(f"annotations: not used by format {self.format!r}; remove it")
        if not self.format_record.needs_table and self.table is not None:
            raise ValueError(f"table: not used by format {self.format!r}; remove it")
        if self.has_true_boxes and self.boxes is not None:
            raise ValueError(f"boxes: format {self.format!r} has boxes of its own; remove it")
        return self

    @model_validator(mode="after")
    def _fits_storage(self) -> "Dataset":
        places = {path.parts[:2] if is_remote(path) else () for path in self.images}
        if len(places) > 1:
            raise ValueError("images: name folders of this machine, or all of one bucket")
        if self.format == "yolo" and any(map(is_remote, (*self.images, *self.annotations))):
            raise ValueError(
                "yolo: such a dataset is read from folders of this machine alone; "
                "`weakspot convert` makes a COCO file of its boxes, whose images may be elsewhere"
            )
        return self

    @model_validator(mode="after")
    def _has_what_is_sampled(self) -> "Dataset":
        if self.has_true_boxes:
            return self
        if self.sample == "detection":
            raise ValueError(
                'sample = "detection" compares detections with true boxes; use '
                f"format = {list_formats(with_boxes=True)}"
            )
        if self.sample == "object" and self.boxes is None:
            raise ValueError(
                f'sample = "object" needs boxes; use format = {list_formats(with_boxes=True)}, or '
                "say in [dataset.boxes] which detections or detector to take"
            )
        return self
