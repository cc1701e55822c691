"""What the site shows beyond the one page: samples in galleries, and what is known of each finding.

Values and frames, as in `reports/models.py`; nothing here reads a file or a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from pipeline.tables import VALUE_ERRORS, empty
from pipeline.tables.schema import Schema
from reports.models import ReportData

Thumbnails = Literal["full", "blurred-faces", "none"]
Language = Literal["en", "de"]
BoxKind = Literal["found", "missed", "false", "true"]

HISTOGRAM: Schema = {  # shares of the samples of two groups, by bins of a number
    "low": pl.Float64(),
    "high": pl.Float64(),
    "inside": pl.Float64(),
    "outside": pl.Float64(),
}
SCORES: Schema = {  # how many labels of a value have a score in a bin
    "value": pl.String(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "n": pl.Int64(),
}
NUMBERS: Schema = {  # how many samples have a measured number in a bin
    "low": pl.Float64(),
    "high": pl.Float64(),
    "n": pl.Int64(),
}


@dataclass(frozen=True)
class SceneBox:
    """A box on a whole image: x, y, w, h in pixels of the image.

    kind: a true box that was found or missed, a false detection, or a true box without a detector.
    role: whether the box is what was annotated or what was detected. focus: whether it is the
    sample itself. score: of the detection. iou: with its object. sample_id: of the sample that a
    detection has found.
    """

    kind: BoxKind
    role: Literal["truth", "detection"]
    box: tuple[float, float, float, float]
    category: str
    score: float | None = None
    iou: float | None = None
    sample_id: str | None = None
    focus: bool = False


@dataclass(frozen=True)
class ShownLabel:
    """A label of a sample, and its score where a model gave one."""

    attribute: str
    value: str
    score: float | None = None


@dataclass(frozen=True)
class Shot:
    """One sample in a gallery.

    caption: its file, "" where names are left out. picture, scene: names in `SiteData.pictures` of
    its thumbnail and of its whole image, "" without pixels. size: width and height in pixels of the
    whole image, (0, 0) where that is not known. true, predicted, probability: of a classifier.
    similarity: cosine to the failing samples of the finding, where it was chosen by that.
    """

    sample_id: str
    caption: str
    error: float | None
    picture: str = ""
    scene: str = ""
    size: tuple[int, int] = (0, 0)
    boxes: tuple[SceneBox, ...] = ()
    labels: tuple[ShownLabel, ...] = ()
    true: str | None = None
    predicted: str | None = None
    probability: float | None = None
    similarity: float | None = None


@dataclass(frozen=True, eq=False)
class FindingEvidence:
    """What is known of one finding.

    failing, passing: its samples with the largest errors and with the smallest. near: samples
    outside it whose vectors are nearest to those failing. error_share: of the sum of all errors
    searched, that of its samples; sample_share: of the samples. covered_errors, covered_samples:
    the same of this finding and all before it together. histogram: HISTOGRAM of errors. others:
    VALUE_ERRORS inside the slice by each further attribute. sample_ids: of the slice, the first of
    `n`. allowed: for each predicate its attribute and the values it takes.
    """

    failing: tuple[Shot, ...] = ()
    passing: tuple[Shot, ...] = ()
    near: tuple[Shot, ...] = ()
    error_share: float | None = None
    sample_share: float | None = None
    covered_errors: float | None = None
    covered_samples: float | None = None
    histogram: pl.DataFrame = field(default_factory=lambda: empty(HISTOGRAM))
    others: pl.DataFrame = field(default_factory=lambda: empty(VALUE_ERRORS))
    sample_ids: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
    n: int = 0
    allowed: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, eq=False)
class AttributeEvidence:
    """What is known of the labels of one attribute.

    scores: SCORES; empty where no model gave any. numbers: NUMBERS that were measured, empty of
    other attributes. most, least: samples with the largest and the
    smallest margin of a label; unknown: samples without a value. prompts: value -> its prompts.
    templates: into which they are put.
    """

    scores: pl.DataFrame = field(default_factory=lambda: empty(SCORES))
    numbers: pl.DataFrame = field(default_factory=lambda: empty(NUMBERS))
    most: tuple[Shot, ...] = ()
    least: tuple[Shot, ...] = ()
    unknown: tuple[Shot, ...] = ()
    prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SiteData:
    """Everything that the site shows.

    findings: by system and rank. attributes: by name. pictures: name of a file -> WebP bytes.
    thumbnails: what [report] lets be seen. file_names: whether files of samples are named.
    attachments: further files of the folder, by name; the page on the method lists them.
    false_detections: by the name of a detector and the kind of the error, images with one.
    """

    report: ReportData
    findings: Mapping[tuple[str, int], FindingEvidence] = field(default_factory=dict)
    attributes: Mapping[str, AttributeEvidence] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    thumbnails: Thumbnails = "full"
    file_names: bool = True
    language: Language = "en"
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    false_detections: Mapping[str, Mapping[str, tuple[Shot, ...]]] = field(default_factory=dict)
