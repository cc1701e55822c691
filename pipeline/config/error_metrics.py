"""The error metrics that audit.toml can ask for, each with its unit, range and wording.

How the errors are computed is in `pipeline.errors`: a function for each metric, by its name, in
`detection_losses` (detectors) or in `classification`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

DETECTION_FORMATS: Final = ("coco-detections", "yolo-detections")
CLASSIFICATION: Final = "classification"
LABELS: Final = "labels"  # the audit's own labels of one attribute are the system
Sample = Literal["image", "object", "detection"]


@dataclass(frozen=True)
class ErrorMetric:
    """One way to measure the error of a sample. Every error is a loss >= 0: smaller is better.

    name: as `error` in [[systems]] names it. formats: the formats of systems it applies to.
    samples: the kinds of samples it is defined for. unit: "share" of 1, "count", or "nat" (natural
    logarithms); None where it is not known. highest: the largest possible error.
    needs_probabilities: whether scores must lie within 0 to 1 (of a classifier: whether it needs
    the columns p_CLASS). needs_categories: whether it needs two categories or more.
    has_curve: whether scoring again with a higher `min_score` follows from the matches alone.

    Words: failed and passed name an error of 1 and of 0; with is_part they name what a share of is
    lost or kept. mean: the name of the mean. flawless: what a system without errors did. meaning: a
    sentence.
    """

    name: str
    formats: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ("image", "object")
    unit: Literal["share", "count", "nat"] | None = None
    highest: float = math.inf
    needs_probabilities: bool = False
    needs_categories: bool = False
    has_curve: bool = True
    failed: str | None = None
    passed: str | None = None
    is_part: bool = False
    mean: str | None = None
    flawless: str = "made no error"
    meaning: str | None = None


_METRICS = (
    ErrorMetric(
        "miss",
        formats=DETECTION_FORMATS,
        unit="share",
        highest=1,
        failed="missed",
        passed="found",
        meaning="Missed: no detection of the same category overlaps the object enough.",
    ),
    ErrorMetric(
        "iou-loss",
        formats=DETECTION_FORMATS,
        samples=("object",),
        unit="share",
        highest=1,
        failed="overlap lost",
        passed="overlap kept",
        is_part=True,
        meaning="Overlap lost: 1 minus the overlap (IoU) of the object with the detection that "
        "found it; all of it where the object is missed.",
    ),
    ErrorMetric(
        "score-loss",
        formats=DETECTION_FORMATS,
        samples=("object",),
        unit="share",
        highest=1,
        needs_probabilities=True,
        failed="score lost",
        passed="score kept",
        is_part=True,
        meaning="Score lost: 1 minus the score of the detection that found the object; all of it "
        "where the object is missed.",
    ),
    ErrorMetric(
        "wrong-class",
        formats=DETECTION_FORMATS,
        samples=("object",),
        unit="share",
        highest=1,
        needs_categories=True,
        has_curve=False,  # an object missed at a higher threshold can become a wrong class
        failed="taken for another class",
        passed="not taken for another class",
        flawless="made no confusion of classes",
        meaning="Taken for another class: no detection of its own category found the object, but "
        "one of another category lies on it.",
    ),
    ErrorMetric(
        "duplicates",
        formats=DETECTION_FORMATS,
        samples=("object",),
        unit="count",
        mean="duplicate detections per object",
        flawless="made no duplicate detection",
        meaning="Duplicates: further detections on an object that one has already found.",
    ),
    ErrorMetric(
        "misses",
        formats=DETECTION_FORMATS,
        samples=("image",),
        unit="count",
        mean="missed objects per image",
        flawless="missed no object",
        meaning="Misses: objects of an image that no detection found.",
    ),
    ErrorMetric(
        "false-positives",
        formats=DETECTION_FORMATS,
        samples=("image",),
        unit="count",
        mean="false positives per image",
        flawless="made no false positive",
        meaning="False positives: detections of an image that found no object.",
    ),
    ErrorMetric(
        "f1-loss",
        formats=DETECTION_FORMATS,
        samples=("image",),
        unit="share",
        highest=1,
        failed="F1 lost",
        passed="F1 kept",
        is_part=True,
        meaning="F1 lost: 1 minus the F1 score of an image, which weighs its missed objects "
        "against its false positives.",
    ),
    ErrorMetric(
        "false-positive",
        formats=DETECTION_FORMATS,
        samples=("detection",),
        unit="share",
        highest=1,
        has_curve=False,  # with the threshold detections leave the samples
        failed="false",
        passed="right",
        flawless="made no false positive",
        meaning="False: the detection is on no object of its category, or on one that a better "
        "detection has found.",
    ),
    ErrorMetric(
        "not-top1",
        formats=(CLASSIFICATION,),
        unit="share",
        highest=1,
        failed="wrong",
        passed="right",
        meaning="Wrong: the most probable class is not the true one.",
    ),
    ErrorMetric(
        "log-loss",
        formats=(CLASSIFICATION,),
        unit="nat",
        needs_probabilities=True,
    ),
    ErrorMetric(
        "wrong-label",
        formats=(LABELS,),
        unit="share",
        highest=1,
        failed="labelled wrong",
        passed="labelled right",
        flawless="gave no wrong label",
        meaning="Labelled wrong: the label is not what is known to be true of the sample.",
    ),
)
METRICS: Mapping[str, ErrorMetric] = {metric.name: metric for metric in _METRICS}


def find_metric(name: str) -> ErrorMetric:
    """Return the metric of this name, or one without words for a column of a user's table."""
    return METRICS.get(name) or ErrorMetric(name, formats=("table",))


def list_metrics(format: str, *, sample: Sample | None = None) -> list[str]:  # noqa: A002 - as in audit.toml
    """Return the names of the metrics of a system format, of one kind of sample or of both."""
    return [
        metric.name
        for metric in _METRICS
        if format in metric.formats and (sample is None or sample in metric.samples)
    ]
