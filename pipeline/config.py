"""What one audit asks for: audit.toml as validated, frozen models."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from pipeline.toml_file import parse_model, read_toml


def _resolve(path: Path, info: ValidationInfo) -> Path:
    """Make a path absolute; relative ones are relative to the audit file."""
    base: Path = (info.context or {}).get("base", Path())
    return Path(os.path.normpath(Path.cwd() / base / path.expanduser()))


def _listed(value: Any) -> Any:  # noqa: ANN401 - raw TOML
    return [value] if isinstance(value, str) else value


def _resolve_attribute(name: str, info: ValidationInfo) -> str:
    """Make the path of an attribute file absolute; shipped names stay as they are."""
    return str(_resolve(Path(name), info)) if name.endswith(".toml") else name


FilePath = Annotated[Path, AfterValidator(_resolve)]
FilePaths = Annotated[tuple[FilePath, ...], BeforeValidator(_listed)]


class Section(BaseModel):
    """A table of audit.toml: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CropRule(Section):
    """How the pixels of an object are cut from its image."""

    margin: float = Field(default=0.1, ge=0, le=5)  # of the box's side, added on each side
    min_size: float = Field(default=8, ge=1)  # pixels; objects with a shorter side are rejected


class TruthValue(Section):
    """A value of a true attribute: the cells of `column` that mean it."""

    column: str
    cells: tuple[str, ...]


class Truth(BaseModel):
    """True attribute values from a CSV or Parquet file, one row a sample."""

    model_config = ConfigDict(extra="allow", frozen=True)

    file: FilePath
    key: str = "path"  # the column that names the sample: path, file name, sample or annotation id
    attributes: dict[str, dict[str, TruthValue]] = Field(default={}, exclude=False)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: Any) -> Any:  # noqa: ANN401 - raw TOML
        """Turn each [dataset.truth.NAME] table into values; all its faults are told at once."""
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


class Dataset(Section):
    """Where the samples come from."""

    format: Literal["folder", "table", "coco"]
    images: FilePaths
    annotations: FilePaths = ()
    table: FilePath | None = None
    sample: Literal["image", "object"] = "image"
    categories: tuple[str, ...] | None = None
    split: str | None = None
    crop: CropRule = CropRule()
    truth: Truth | None = None

    @property
    def root(self) -> Path:
        """The folder that sample paths are relative to: that of the images, or what they share."""
        if len(self.images) == 1:
            return self.images[0]
        return Path(os.path.commonpath(self.images))

    @model_validator(mode="after")
    def _fits_format(self) -> "Dataset":
        if not self.images:
            raise ValueError("images: name at least one folder")
        if self.format == "coco" and len(self.annotations) != len(self.images):
            raise ValueError(
                f"coco: {len(self.annotations)} annotation files for {len(self.images)} images "
                "folders; give lists of equal length"
            )
        if self.format == "table" and self.table is None:
            raise ValueError('table: name the CSV or Parquet file, e.g. table = "samples.csv"')
        if self.format != "coco" and self.annotations:
            raise ValueError(f"annotations: not used by format {self.format!r}; remove it")
        if self.format != "table" and self.table is not None:
            raise ValueError(f"table: not used by format {self.format!r}; remove it")
        if self.format != "coco" and self.sample == "object":
            raise ValueError('sample = "object" needs boxes; use format = "coco"')
        return self


class EncoderConfig(Section):
    """Which image-text model makes the vectors."""

    model: str
    pretrained: str | None = None
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    batch_size: int = Field(default=256, ge=1)
    shard_size: int = Field(default=2048, ge=1)  # samples in a task: what a killed run loses

    @model_validator(mode="before")
    @classmethod
    def _resolve_folder(cls, raw: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - raw TOML
        if isinstance(raw, dict) and str(raw.get("model", "")).startswith("local-dir:"):
            folder = _resolve(Path(str(raw["model"]).removeprefix("local-dir:")), info)
            return {**raw, "model": f"local-dir:{folder}"}
        return raw

    @model_validator(mode="after")
    def _needs_weights(self) -> "EncoderConfig":
        hosted = self.model.startswith(("local-dir:", "hf-hub:"))
        if hosted and self.pretrained:
            raise ValueError("pretrained: omit it with local-dir: and hf-hub: models")
        if not hosted and not self.pretrained:
            raise ValueError("pretrained: name the weights, e.g. laion2b_s34b_b79k")
        return self


class AttributeUse(Section):
    """Which attributes label the samples: shipped names, paths of .toml files, given columns."""

    use: tuple[Annotated[str, AfterValidator(_resolve_attribute)], ...] = ()
    given: tuple[str, ...] = ()  # columns of the dataset (category, split, or of the table)

    @model_validator(mode="after")
    def _some(self) -> "AttributeUse":
        if not self.use and not self.given:
            raise ValueError('name at least one attribute, e.g. use = ["image/sharpness"]')
        return self


class System(Section):
    """One system under audit and how its error on a sample is counted."""

    name: str = Field(min_length=1)
    format: Literal["coco-detections", "classification", "table"]
    predictions: FilePaths
    error: str
    column: str | None = None  # of a table; else `error` names it
    iou: float = Field(default=0.5, gt=0, le=1)
    min_score: float = 0.0

    @property
    def error_column(self) -> str:
        """The column of a table that holds the error."""
        return self.column or ("error" if self.error == "column" else self.error)

    @model_validator(mode="after")
    def _fits_format(self) -> "System":
        allowed = {"coco-detections": ("miss",), "classification": ("not-top1", "log-loss")}
        options = allowed.get(self.format)
        if options and self.error not in options:
            raise ValueError(f"error: {self.format} knows {' and '.join(options)}")
        if self.column and self.format != "table":
            raise ValueError('column: only used by format = "table"')
        return self


class SliceSearch(Section):
    """How slices are searched and judged."""

    labels: Literal["predicted", "truth"] = "predicted"
    alpha: float = Field(default=0.95, gt=0, le=1)
    max_level: int = Field(default=3, ge=1, le=4)
    min_support: float = Field(default=0.01, gt=0)  # below 1: a fraction, else a count
    top: int = Field(default=15, ge=1)
    engine: Literal["auto", "cube", "depth-first", "sliceline"] = "auto"
    confirm: float = Field(default=0.0, ge=0, lt=1)  # share of the images held out to confirm
    include_unknown: bool = False  # whether "unknown" may stand in a predicate
    seed: int = 0


class ReportConfig(Section):
    """Where the report goes."""

    folder: FilePath = Field(default=Path("report"), validate_default=True)


class Audit(Section):
    """One audit, as audit.toml asks for it."""

    name: str = Field(min_length=1)
    workspace: FilePath = Field(default=Path("workspace"), validate_default=True)
    dataset: Dataset
    encoder: EncoderConfig | None = None
    attributes: AttributeUse
    systems: tuple[System, ...] = Field(min_length=1)
    slices: SliceSearch = SliceSearch()
    report: ReportConfig = Field(default_factory=dict, validate_default=True)

    @model_validator(mode="after")
    def _consistent(self) -> "Audit":
        names = [system.name for system in self.systems]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"systems: the name {twice[0]!r} is given twice")
        for system in self.systems:
            detections = system.format == "coco-detections"
            if detections and self.dataset.format != "coco":
                raise ValueError(f'system {system.name!r}: coco-detections needs format = "coco"')
            if detections and len(system.predictions) != len(self.dataset.annotations):
                raise ValueError(
                    f"system {system.name!r}: {len(system.predictions)} prediction files for "
                    f"{len(self.dataset.annotations)} annotation files; give lists of equal length"
                )
        if self.slices.labels == "truth" and self.dataset.truth is None:
            raise ValueError('slices.labels = "truth" needs [dataset.truth]')
        return self


def read_audit(path: Path) -> Audit:
    """Read and validate audit.toml. Raises ConfigError listing every problem with its line."""
    return parse_model(read_toml(path), Audit)
