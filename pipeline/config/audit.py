"""What one audit asks for: audit.toml as validated, frozen models."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from pipeline.config.boxes import Boxes
from pipeline.config.dataset import Columns, CropRule, Dataset, Truth, TruthValue
from pipeline.config.dataset_formats import list_formats
from pipeline.config.encoder import EncoderConfig
from pipeline.config.error_metrics import (
    CLASSIFICATION,
    DETECTION_FORMATS,
    LABELS,
    find_metric,
    list_metrics,
)
from pipeline.config.gates import Gates, check_limit_systems
from pipeline.config.regions import RegionsConfig
from pipeline.config.report import ReportConfig
from pipeline.config.run import RunConfig
from pipeline.config.section import (
    Access,
    FilePath,
    FilePaths,
    LocalPath,
    Section,
    resolve_path,
)
from pipeline.files.toml_file import parse_model, read_toml

__all__ = [
    "Access",
    "AttributeUse",
    "Audit",
    "Boxes",
    "Columns",
    "CropRule",
    "Dataset",
    "Domain",
    "EncoderConfig",
    "FairnessConfig",
    "Gates",
    "RegionsConfig",
    "ReportConfig",
    "RunConfig",
    "SliceSearch",
    "System",
    "Truth",
    "TruthValue",
    "read_audit",
    "read_dataset",
]


def _resolve_attribute(name: str, info: ValidationInfo) -> str:
    """Make the path of an attribute file absolute; shipped names stay as they are."""
    return str(resolve_path(Path(name), info)) if name.endswith(".toml") else name


class AttributeUse(Section):
    """Which attributes label the samples: shipped names, paths of .toml files, given columns."""

    # Names that `weakspot attributes list` prints, or paths of attribute files, ending in .toml.
    use: tuple[Annotated[str, AfterValidator(_resolve_attribute)], ...] = ()
    given: tuple[str, ...] = ()  # columns of the dataset (category, split, or of the table)
    # Whether an attribute with prompts is labelled by a probe that is trained on known values:
    # "auto" where it then agrees better with them, "always" where one can be trained.
    probe: Literal["auto", "never", "always"] = "auto"
    # Whose values a probe is trained on: those that people checked, or those of [dataset.truth].
    probe_from: Literal["checks", "truth"] = "checks"
    # A column whose equal cells belong together, such as who is in the picture: a probe is not
    # judged by samples that share one with those it was trained on. Images do so always.
    probe_groups: str | None = None

    @model_validator(mode="after")
    def _some(self) -> "AttributeUse":
        if not self.use and not self.given:
            raise ValueError('name at least one attribute, e.g. use = ["image/sharpness"]')
        return self


class System(Section):
    """One system under audit and how its error on a sample is counted."""

    name: str = Field(min_length=1)  # as the report calls it; no two systems share one
    # What its outputs are; see the examples of each.
    format: Literal["coco-detections", "yolo-detections", "classification", "table", "labels"]
    predictions: FilePaths = ()  # needed but of labels; of yolo-detections folders of label files
    error: str  # how an error is counted; of a table the name of a column, or "column"
    column: str | None = None  # of a table; else `error` names it
    attribute: str | None = None  # of labels: whose labels are judged by true values or checks
    target: str | None = None  # of a classifier: the column of true classes; else the category
    iou: float = Field(default=0.5, gt=0, le=1)  # overlap from which a detection finds an object
    min_score: float | None = None  # detections below it do not count; without it all do
    # Of a detector: what detections of categories that the dataset does not have are taken for, a
    # sign of wrong ids or things that are none of the audit's.
    unknown_categories: Literal["warn", "ignore"] = "warn"
    # Of a detector: whether categories must agree, or a detection finds objects of any.
    match: Literal["same-category", "any-category"] = "same-category"

    @property
    def error_column(self) -> str:
        """The column of a table that holds the error."""
        return self.column or ("error" if self.error == "column" else self.error)

    @property
    def error_unit(self) -> str:
        """The unit of the error in words; that of a table's column is not known."""
        if self.format == "table":
            return f"column {self.error_column!r}"
        return {"share": "shares", "count": "counts", "nat": "nats"}[
            find_metric(self.error).unit or "share"
        ]

    @model_validator(mode="after")
    def _fits_format(self) -> "System":
        options = list_metrics(self.format)  # none of a table, whose columns are the user's
        if options and self.error not in options:
            raise ValueError(f"error: {self.format} knows {' and '.join(options)}")
        if self.format != LABELS and self.attribute is not None:
            raise ValueError('attribute: only used by format = "labels"')
        if self.format == LABELS and self.attribute is None:
            raise ValueError("attribute: name the one whose labels are judged")
        if (self.format == LABELS) == bool(self.predictions):
            absent = "key 'predictions' is missing"
            raise ValueError("predictions: labels need none" if self.predictions else absent)
        if self.target and self.format != CLASSIFICATION:
            raise ValueError('target: only used by format = "classification"')
        if self.match == "any-category" and find_metric(self.error).needs_categories:
            raise ValueError(f'match = "any-category": {self.error} compares categories')
        if self.match == "any-category" and self.format not in DETECTION_FORMATS:
            raise ValueError(f"match: only used by {' and '.join(DETECTION_FORMATS)}")
        if self.column and self.format != "table":
            raise ValueError('column: only used by format = "table"')
        return self


class SliceSearch(Section):
    """How slices are searched and tested."""

    # What to search: the labels that were made, or the true values of [dataset.truth].
    labels: Literal["predicted", "truth"] = "predicted"
    alpha: float = Field(default=0.95, gt=0, le=1)  # weight of the error against the size
    max_level: int = Field(default=3, ge=1, le=4)  # attributes in one slice, at most
    min_support: float = Field(
        default=0.01, gt=0
    )  # smallest slice; below 1: a fraction, else a count
    top: int = Field(default=15, ge=1)  # findings to keep, and best slices to show
    # How slices are counted; all give the same ones.
    engine: Literal["auto", "cube", "depth-first", "sliceline"] = "auto"
    confirm: float = Field(default=0.0, ge=0, lt=1)  # share of the images held out to confirm
    include_unknown: bool = False  # whether "unknown" may be a value of a predicate
    seed: int = 0  # of the split and the permutations


class FairnessConfig(Section):
    """Which groups are compared, and what the comparison is adjusted for."""

    attributes: tuple[str, ...] = ()  # names; those marked sensitive when empty
    adjust_for: tuple[str, ...] = ()  # names of attributes that may explain a gap: size, blur
    positive: str | None = None  # of a classifier: the class that rates are of
    max_level: int = Field(default=2, ge=1, le=2)  # 2: pairs of attributes as well
    min_group: int = Field(default=30, ge=2)  # samples; smaller groups are not compared


class Domain(Section):
    """Which combinations of attribute values the dataset should hold."""

    attributes: tuple[str, ...] = ()  # names; all that are searched when empty
    level: int = Field(default=2, ge=1, le=3)  # how many attributes are combined
    min_samples: int = Field(default=30, ge=1)  # that a combination needs to count as covered


class Audit(Section):
    """One audit, as audit.toml asks for it."""

    name: str = Field(min_length=1)  # the title of the report
    # The folder in which everything computed is kept; runs of one audit share it.
    workspace: LocalPath = Field(default=Path("workspace"), validate_default=True)
    # Where its shards are kept (vectors, measurements, detections, texts) instead of in it: a
    # folder, or an address such as "s3://bucket/audit".
    shards: FilePath | None = None
    # Who may read what runs write: "owner" alone, also the "group", or whom the "umask" lets.
    access: Access = "owner"
    dataset: Dataset
    encoder: EncoderConfig | None = None
    attributes: AttributeUse
    systems: tuple[System, ...] = Field(min_length=1)
    slices: SliceSearch = SliceSearch()
    fairness: FairnessConfig | None = None
    gates: Gates | None = None
    domain: Domain = Domain()
    regions: RegionsConfig | None = None
    report: ReportConfig = Field(default_factory=dict, validate_default=True)
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _has_detections(self) -> "Audit":
        detectors = [s for s in self.systems if s.format in DETECTION_FORMATS]
        if self.dataset.sample == "detection" and len(detectors) != 1:
            raise ValueError(
                'sample = "detection" makes samples of the detections of one system; name one of '
                f"format {' or '.join(DETECTION_FORMATS)}, not {len(detectors)}"
            )
        return self

    @model_validator(mode="after")
    def _has_truth(self) -> "Audit":
        if self.dataset.truth is not None:
            return self
        if self.attributes.probe_from == "truth":
            raise ValueError('attributes.probe_from = "truth" needs [dataset.truth]')
        if self.slices.labels == "truth":
            raise ValueError('slices.labels = "truth" needs [dataset.truth]')
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "Audit":
        names = [system.name for system in self.systems]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"systems: the name {twice[0]!r} is given twice")
        for system in self.systems:
            if system.format not in DETECTION_FORMATS:
                continue
            if (
                system.format == "yolo-detections"
                and not self.dataset.format_record.has_class_numbers
            ):
                raise ValueError(
                    f"system {system.name!r}: yolo-detections names classes by their index in a "
                    'data.yaml; it needs a dataset of format "yolo"'
                )
            if not self.dataset.has_true_boxes:
                raise ValueError(
                    f"system {system.name!r}: coco-detections needs a dataset with true boxes, "
                    f"of format {list_formats(with_boxes=True)}"
                )
            options = list_metrics(system.format, sample=self.dataset.sample)
            if system.error not in options:
                raise ValueError(
                    f"system {system.name!r}: error {system.error!r} is not one of "
                    f"{self.dataset.sample}s; those are {', '.join(options)}"
                )
            if len(system.predictions) != len(self.dataset.annotations):
                raise ValueError(
                    f"system {system.name!r}: {len(system.predictions)} prediction files for "
                    f"{len(self.dataset.annotations)} annotation files; give lists of equal length"
                )
        if self.gates is not None:
            check_limit_systems(self.gates, {one.name: one.error_unit for one in self.systems})
        return self


class _DatasetFile(BaseModel):
    """An audit.toml of which [dataset] alone counts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    dataset: Dataset


def read_dataset(path: Path) -> Dataset:
    """Read the [dataset] of audit.toml; other tables may be missing, and are not checked.

    Raises ConfigError listing every problem with its line.
    """
    return parse_model(read_toml(path), _DatasetFile).dataset


def read_audit(path: Path) -> Audit:
    """Read and validate audit.toml. Raises ConfigError listing every problem with its line."""
    return parse_model(read_toml(path), Audit)
