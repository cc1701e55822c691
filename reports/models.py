"""What a report is made from: values and frames, nothing that reads a file or a clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from pipeline.config.error_metrics import find_metric
from pipeline.errors.evaluation.evaluation_tables import CURVE, ERROR_PLACES, SIZE_SCORES
from pipeline.tables import (
    COLLECTION,
    CORRECTIONS,
    COVERAGE,
    DISPARITIES,
    FAMILY,
    GAPS,
    IN_USE,
    LABEL_CALIBRATION,
    LABEL_RELIABILITY,
    LEARNING_CURVE,
    REJECTS,
    REPORTED,
    VALUE_ERRORS,
    empty,
)
from reports.map_models import MapReport
from reports.trust_models import TrustReport


@dataclass(frozen=True)
class Thumbnail:
    """One sample of a gallery: image is a small JPEG (or PNG), or empty when there is none.

    true, predicted: its classes, where the system is a classifier. probability: of the predicted
    class, None where it is not known.
    """

    image: bytes
    caption: str
    error: float
    true: str | None = None
    predicted: str | None = None
    probability: float | None = None


@dataclass(frozen=True)
class ErrorGate:
    """The verdict of the gate on a system's mean error; error: None where there is none."""

    verdict: str
    max_error: float
    error: float | None


@dataclass(frozen=True, eq=False)
class DetectorReport:
    """A detector as a whole.

    iou, any_category, min_score: as [[systems]] asks. ap50, ap: average precision at an overlap of
    0.5 and over 0.5 to 0.95; None without objects. categories: CATEGORY_SCORES. points:
    OPERATING_POINTS. kinds: ERROR_KINDS. confusions: CONFUSIONS. curves: CURVE. places:
    ERROR_PLACES. sizes: SIZE_SCORES.
    """

    iou: float
    any_category: bool
    min_score: float | None
    ap50: float | None
    ap: float | None
    categories: pl.DataFrame
    points: pl.DataFrame
    kinds: pl.DataFrame
    confusions: pl.DataFrame
    curves: pl.DataFrame = field(default_factory=lambda: empty(CURVE))
    places: pl.DataFrame = field(default_factory=lambda: empty(ERROR_PLACES))
    sizes: pl.DataFrame = field(default_factory=lambda: empty(SIZE_SCORES))


@dataclass(frozen=True, eq=False)
class SystemReport:
    """The results of the audit of one system.

    share: whether errors are 0/1 or a share of objects, so that means read as percentages.
    overall_error: mean over the n samples with an error; None when there is none. holdout_n: how
    many of these were held out from the search; findings and slices are of the others.
    findings: REPORTED in rank order. worth_checking: CORRECTIONS of slices that are no findings as
    labelled, best first. top_slices: FAMILY rows by score, before any test.
    slices_counted: size of the counted family. gallery: rank -> worst samples, worst first.
    detectable_gap: smallest difference that the tests could have found, in units of the error.
    sweeps: rank -> SWEEP, how that finding changes with the score threshold of a detector.
    notes: counts of its outputs, as scoring notes them. warnings: why these may not be what they
    seem. gate: the verdict on its mean error, None without such a gate.
    detector: None for other systems. regions: REGIONS, None where none were searched.
    region_gallery: rank of a region -> its typical and its failing samples.
    """

    name: str
    metric: str
    share: bool
    n: int
    overall_error: float | None
    holdout_n: int = 0
    samples_without_error: int = 0
    errors_without_sample: int = 0
    findings: pl.DataFrame = field(default_factory=lambda: empty(REPORTED))
    worth_checking: pl.DataFrame = field(default_factory=lambda: empty(CORRECTIONS))
    top_slices: pl.DataFrame = field(default_factory=lambda: empty(FAMILY))
    slices_counted: int = 0
    detectable_gap: float | None = None
    search_notes: tuple[str, ...] = ()
    gallery: Mapping[int, tuple[Thumbnail, ...]] = field(default_factory=dict)
    sweeps: Mapping[int, pl.DataFrame] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    gate: ErrorGate | None = None
    detector: DetectorReport | None = None
    regions: pl.DataFrame | None = None
    region_gallery: Mapping[int, tuple[tuple[Thumbnail, ...], tuple[Thumbnail, ...]]] = field(
        default_factory=dict
    )

    @property
    def mostly_wrong(self) -> bool:
        """Whether failure is the rule, so that the score can rank little."""
        if not self.share or find_metric(self.metric).unit == "count" or self.overall_error is None:
            return False
        return self.overall_error > 0.5


@dataclass(frozen=True)
class AttributeReport:
    """How one attribute was labelled.

    source: where the labels that were searched came from. reference: how the audit names it, e.g.
    "person/hat". edges: of the bins of a measured one. sensitive: a perceived trait of people.
    """

    name: str
    source: Literal["zero-shot", "measured", "given", "truth", "probe", "cluster"]
    reference: str = ""
    edges: tuple[float, ...] = ()
    sensitive: bool = False


@dataclass(frozen=True, eq=False)
class FairnessReport:
    """The gaps of one system between groups by one source of labels.

    labels: whether groups are of the true attributes or of those that the audit's labellers gave.
    metric: of the error, as in the `errors` table. gates: max_gap and min_group, as configured.
    questionable: whether the system's outputs are, so that no gate passes.
    adjust_for: the covariates of the adjusted differences. attributes: those compared.
    perceived: whether the groups are perceived appearance of people.
    """

    system: str
    labels: Literal["predicted", "truth"]
    metric: str
    gaps: pl.DataFrame = field(default_factory=lambda: empty(GAPS))
    disparities: pl.DataFrame = field(default_factory=lambda: empty(DISPARITIES))
    verdicts: pl.DataFrame | None = None  # VERDICTS; None without gates
    gates: Mapping[str, float] | None = None
    adjust_for: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    perceived: bool = False
    questionable: bool = False


@dataclass(frozen=True, eq=False)
class LabelQualityReport:
    """How good the labels are, by true values or checks.

    quality: LABEL_QUALITY, by method and value. calibration: LABEL_CALIBRATION. reliability:
    LABEL_RELIABILITY. learning: LEARNING_CURVE of attributes that checks judge.
    """

    quality: pl.DataFrame
    calibration: pl.DataFrame = field(default_factory=lambda: empty(LABEL_CALIBRATION))
    reliability: pl.DataFrame = field(default_factory=lambda: empty(LABEL_RELIABILITY))
    learning: pl.DataFrame = field(default_factory=lambda: empty(LEARNING_CURVE))

    @property
    def in_use(self) -> pl.DataFrame:
        """The rows of the labels in use, one a value."""
        return self.quality.filter((pl.col("method") == IN_USE) & pl.col("value").is_not_null())


@dataclass(frozen=True, eq=False)
class DomainReport:
    """Which combinations of attribute values the dataset holds, `level` attributes at a time.

    combinations: COMBINATIONS, those to worry about first. pairs: COMBINATIONS of two attributes
    for the heat maps; None takes `combinations` where its level is 2, else there are no maps.
    collect_next: a COLLECTION frame.
    """

    attributes: tuple[str, ...]
    level: int
    min_samples: int
    combinations: pl.DataFrame
    pairs: pl.DataFrame | None = None
    collect_next: pl.DataFrame = field(default_factory=lambda: empty(COLLECTION))


@dataclass(frozen=True)
class ChangedFinding:
    """A finding that came or went; predicates: as in the tables."""

    system: str
    predicates: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class ChangesReport:
    """What changed since the search before, which began at `since`.

    new, changed, gone: how many samples are new, have other content, are not there any more.
    """

    since: str
    new: int = 0
    changed: int = 0
    gone: int = 0
    findings_new: tuple[ChangedFinding, ...] = ()
    findings_gone: tuple[ChangedFinding, ...] = ()


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that one page shows; times are ISO 8601 in UTC, timings in seconds.

    limit: how many samples the audit was limited to; None for all. gates_left_out: whether gates
    did not judge, because the samples are limited.
    """

    name: str
    run_id: str
    started_at: str
    finished_at: str
    samples: int  # rows of the search: images, or objects in an object audit
    systems: tuple[SystemReport, ...]
    attributes: tuple[AttributeReport, ...] = ()
    sample_kind: Literal["image", "object", "detection"] = "image"
    coverage: pl.DataFrame = field(default_factory=lambda: empty(COVERAGE))
    value_errors: pl.DataFrame = field(default_factory=lambda: empty(VALUE_ERRORS))
    label_quality: LabelQualityReport | None = None  # where true values or checks judge labels
    fairness: tuple[FairnessReport, ...] = ()  # one for each system and source of labels
    domain: DomainReport | None = None
    rejects: pl.DataFrame = field(default_factory=lambda: empty(REJECTS))
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # of any stage, for the reader
    config: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    encoder_id: str | None = None
    limit: int | None = None
    gates_left_out: bool = False
    changes: ChangesReport | None = None  # since the search before, where there was one
    maps: tuple[MapReport, ...] = ()  # one for each system; none where no map was made
    trust: TrustReport | None = None  # of the encoder, where something was measured
