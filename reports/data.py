"""What a report is made from: values and frames, nothing that reads a file or a clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from pipeline.labels.quality import AGREEMENT, VALUE_QUALITY
from pipeline.tables import FAMILY, REJECTS, WEAKNESSES, Schema, check, empty

COVERAGE: Schema = {  # how often each value of each attribute was seen, in display order
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),
    "share": pl.Float64(),  # of the samples of the audit
}
VALUE_ERRORS: Schema = {  # mean error of a system over the samples of one value
    "system": pl.String(),
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),  # samples that have an error
    "error": pl.Float64(),
    "ci_low": pl.Float64(),  # 95 % interval
    "ci_high": pl.Float64(),
}


@dataclass(frozen=True)
class Thumbnail:
    """One sample of a gallery: image is a small JPEG (or PNG), or empty when there is none."""

    image: bytes
    caption: str
    error: float


@dataclass(frozen=True, eq=False)
class SystemReport:
    """What the audit found out about one system.

    share: whether errors are 0/1 or a share of objects, so that means read as percentages.
    overall_error: mean over the n samples with an error; None when there is none.
    findings: WEAKNESSES in rank order. top_slices: FAMILY rows by score, before any test.
    slices_counted: size of the counted family. gallery: rank -> worst samples, worst first.
    detectable_gap: smallest difference that this data could have shown, in units of the error.
    """

    name: str
    metric: str
    share: bool
    n: int
    overall_error: float | None
    samples_without_error: int = 0
    errors_without_sample: int = 0
    findings: pl.DataFrame = field(default_factory=lambda: empty(WEAKNESSES))
    top_slices: pl.DataFrame = field(default_factory=lambda: empty(FAMILY))
    slices_counted: int = 0
    detectable_gap: float | None = None
    search_notes: tuple[str, ...] = ()
    gallery: Mapping[int, tuple[Thumbnail, ...]] = field(default_factory=dict)

    @property
    def mostly_wrong(self) -> bool:
        """Whether failure is the rule, so that the score can rank little."""
        return self.share and self.overall_error is not None and self.overall_error > 0.5


@dataclass(frozen=True)
class AttributeReport:
    """How one attribute was labelled.

    kind: prompts | measured | given. source: where the labels that were searched came from.
    reference: how the audit names it, e.g. "person/hat". edges: of the bins of a measured one.
    sensitive: a perceived trait of people.
    """

    name: str
    kind: str
    source: Literal["zero-shot", "measured", "given", "truth", "probe"]
    applies_to: str = "image"
    reference: str = ""
    edges: tuple[float, ...] = ()
    sensitive: bool = False


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that one page shows; times are ISO 8601 in UTC, timings in seconds."""

    name: str
    run_id: str
    started_at: str
    finished_at: str
    samples: int  # rows of the search: images, or objects in an object audit
    systems: tuple[SystemReport, ...]
    attributes: tuple[AttributeReport, ...] = ()
    sample_kind: Literal["image", "object"] = "image"
    coverage: pl.DataFrame = field(default_factory=lambda: empty(COVERAGE))
    value_errors: pl.DataFrame = field(default_factory=lambda: empty(VALUE_ERRORS))
    agreement: pl.DataFrame | None = None  # AGREEMENT and VALUE_QUALITY of pipeline.labels.quality,
    value_quality: pl.DataFrame | None = None  # when the audit has a truth file
    rejects: pl.DataFrame = field(default_factory=lambda: empty(REJECTS))
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # of any stage, for the reader
    config: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    encoder_id: str | None = None


def check_report_data(data: ReportData) -> None:
    """Check every frame of `data`. Raises TableError naming the table and its faulty columns."""
    check(data.coverage, COVERAGE, table="coverage")
    check(data.value_errors, VALUE_ERRORS, table="value_errors")
    check(data.rejects, REJECTS, table="rejects")
    if data.agreement is not None:
        check(data.agreement, AGREEMENT, table="agreement")
    if data.value_quality is not None:
        check(data.value_quality, VALUE_QUALITY, table="value_quality")
    for system in data.systems:
        check(system.findings, WEAKNESSES, table=f"findings of {system.name}")
        check(system.top_slices, FAMILY, table=f"top slices of {system.name}")
