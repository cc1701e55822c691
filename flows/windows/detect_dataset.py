"""A detector run on the images of an audit: its detections as results, and how good they are."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from flows.run.health.access import restrict_access
from flows.run.loaded_models import LoadEncoder
from flows.run.resolved_audit import ResolvedAudit, resolve_audit
from flows.stages.detect import detect_objects
from flows.stages.detectors import LoadDetector
from pipeline.config.audit import Audit
from pipeline.config.boxes import Boxes, is_by_words
from pipeline.errors.evaluation.detector_check import check_detector
from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import read_toml
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.workspace.detected_images import DetectedImages
from pipeline.workspace.lock import lock_workspace
from pipeline.workspace.store import open_store

_SETTINGS = set(Boxes.model_fields) - {"detector", "detections"}


@dataclass(frozen=True)
class DatasetDetections:
    """What a detector finds in the dataset of an audit.

    detections: image_id, category_id, category, path, x, y, w, h, score and `source`, which of the
    annotation files names image and category so; 0 where there is none. categories: what it looks
    for, None where the detector decides. foreign: how many more it found of each category that the
    dataset does not have. check: DETECTOR_CHECK, None where the dataset has no true boxes. images,
    rejects: how many could be read, and could not be used. ran_on: how many images now.
    """

    audit: Audit
    detector: str
    categories: tuple[str, ...] | None
    detections: pl.DataFrame
    foreign: Mapping[str, int]
    check: pl.DataFrame | None
    images: int
    rejects: int
    ran_on: int


def detect_dataset(
    config: Path,
    *,
    detector: str | None,
    words: Path | None,
    load: LoadDetector,
    load_encoder: LoadEncoder,
) -> DatasetDetections:
    """Run a detector on all images of an audit; what it found before is read from the workspace.

    detector: as [dataset.boxes] names it, whose own is taken without it. words: a TOML file with
    keys of [dataset.boxes]; without it, those of the audit, or the categories of the true boxes as
    "a NAME". Raises ConfigError for what does not fit together.
    """
    resolved = resolve_audit(config)
    audit = resolved.audit
    truth = _read_truth(audit) if audit.dataset.has_true_boxes else None
    boxes = _choose_boxes(audit, truth, detector=detector, words=words)
    dataset = audit.dataset.model_copy(update={"sample": "object", "boxes": boxes})
    asked = dataclasses.replace(resolved, audit=audit.model_copy(update={"dataset": dataset}))
    detected = _detect(asked, load=load, load_encoder=load_encoder)
    found = detected.detections.with_columns(pl.col("category").replace(dict(audit.dataset.rename)))
    if boxes.min_score is not None:
        found = found.filter(pl.col("score") >= boxes.min_score)
    return DatasetDetections(
        audit=audit,
        detector=boxes.detector or "",
        categories=tuple(boxes.categories) if boxes.goes_by_words else None,
        detections=_name(found, truth),
        foreign=_count_foreign(found, truth),
        check=None if truth is None else _check(found, truth, detected),
        images=detected.images.height,
        rejects=pl.concat([detected.rejects, detected.failed])["path"].n_unique(),
        ran_on=detected.ran_on,
    )


def _detect(
    resolved: ResolvedAudit, *, load: LoadDetector, load_encoder: LoadEncoder
) -> DetectedImages:
    audit = resolved.audit
    with restrict_access(audit.access), lock_workspace(audit.workspace):
        store = open_store(audit.workspace)
        return detect_objects(resolved, store, of_audit=False, load=load, load_encoder=load_encoder)


def _read_truth(audit: Audit) -> SampleSet:
    """Return the dataset with all its images and true boxes."""
    return read_samples(audit.dataset.model_copy(update={"sample": "image"}))


def _choose_boxes(
    audit: Audit, truth: SampleSet | None, *, detector: str | None, words: Path | None
) -> Boxes:
    """Return the settings of the detector, from a file, the audit, or the true categories."""
    own = audit.dataset.boxes
    name = detector or (own.detector if own else None)
    if name is None:
        raise ConfigError("name the detector: --detector patches, or one of docs/detectors.md")
    settings: Mapping[str, object] = {}
    if words is not None:
        settings = _read_words(words)
    elif own is not None and own.detector is not None:
        given = own.model_fields_set & (_SETTINGS if is_by_words(name) else {"min_score"})
        if name != own.detector:  # scores of another detector are on another scale
            given -= {"min_score"}
        settings = {key: getattr(own, key) for key in given}
    if is_by_words(name) and "categories" not in settings and truth is not None:
        names = truth.categories.filter(pl.col("asked"))["category"].unique().sort()
        settings = {**settings, "categories": {one: [f"a {one}"] for one in names}}
    try:
        boxes = Boxes.model_validate({**settings, "detector": name}, context={"base": Path.cwd()})
    except ValidationError as error:
        where = "--detector" if words is None else f"--words {words}"
        raise ConfigError.from_problems(
            where,
            [
                ": ".join([*map(str, one["loc"]), one["msg"].removeprefix("Value error, ")])
                for one in error.errors()
            ],
        ) from None
    if truth is not None and boxes.goes_by_words:
        known = set(truth.categories["category"])
        foreign = [one for one in boxes.categories if one not in known]
        if foreign:
            raise ConfigError(
                f"category {foreign[0]!r} is none of the dataset's: {', '.join(sorted(known))}"
            )
    return boxes


def _read_words(file: Path) -> dict[str, object]:
    data = dict(read_toml(file).data)
    if unknown := sorted(set(data) - _SETTINGS):
        known = ", ".join(sorted(_SETTINGS))
        raise ConfigError(f"--words {file}: {unknown[0]}: no such key; known are {known}")
    return data


def _name(found: pl.DataFrame, truth: SampleSet | None) -> pl.DataFrame:
    """Add how predictions name image and category: as the annotations do, else by path."""
    columns = ["source", "image_id", "category_id", "path", "category", "x", "y", "w", "h", "score"]
    if truth is None:
        names = found["category"].unique().sort()
        numbers = pl.DataFrame({"category": names}).with_row_index("category_id", offset=1)
        named = found.join(numbers.with_columns(pl.col("category_id").cast(pl.String)),
                           on="category")  # fmt: skip
        return named.with_columns(
            pl.col("path").alias("image_id"), pl.lit(0, dtype=pl.Int64).alias("source")
        ).select(columns)
    images = truth.source_images.unique("path", keep="first", maintain_order=True)
    categories = truth.categories.unique(["source", "category"], keep="first", maintain_order=True)
    placed = found.join(images, on="path", how="inner")
    return placed.join(categories, on=["source", "category"], how="inner").select(columns)


def _count_foreign(found: pl.DataFrame, truth: SampleSet | None) -> dict[str, int]:
    if truth is None:
        return {}
    known = truth.categories["category"].unique()
    foreign = found.filter(~pl.col("category").is_in(known.implode()))
    return dict(foreign["category"].value_counts().sort("category").iter_rows())


def _check(found: pl.DataFrame, truth: SampleSet, detected: DetectedImages) -> pl.DataFrame:
    asked = truth.categories.filter(pl.col("asked"))["category"].unique()
    own, theirs = (one.filter(pl.col("category").is_in(asked.implode()))
                   for one in (truth.objects, found))  # fmt: skip
    return check_detector(own, theirs, detected.images["path"])
