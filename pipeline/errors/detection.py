"""Errors of a detector: what it misses, confuses, repeats and invents."""

from dataclasses import dataclass

import polars as pl

from pipeline.config.audit import System
from pipeline.config.error_metrics import find_metric, list_metrics
from pipeline.errors.checks.detection_warnings import (
    check_categories,
    check_images,
    check_matches,
    check_silence,
)
from pipeline.errors.detection_losses import (
    count_by_image,
    name_detections,
    score_false_positives,
    score_images,
    score_objects,
)
from pipeline.errors.evaluation.evaluated_images import add_other_images
from pipeline.errors.evaluation.system_detections import read_system_detections
from pipeline.errors.match_status import STATUSES, match_detections
from pipeline.errors.scored import Losses
from pipeline.exceptions import PredictionsError
from pipeline.files.yolo_labels import scale_boxes


@dataclass(frozen=True)
class _Placed:
    """Detections that can be matched, with path and category; counts of the others; warnings."""

    detections: pl.DataFrame
    unknown_image: int
    notes: dict[str, object]
    warnings: tuple[str, ...]


def score_detections(
    system: System,
    samples: pl.DataFrame,
    *,
    images: pl.DataFrame,
    truth: pl.DataFrame,
    objects: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
) -> Losses:
    """Match a detector's results to the true boxes of the asked categories.

    samples: the rows to score. images: rows of the images in which detections are matched. Those
    below `system.min_score` do not count, a match reaches `system.iou`, and `system.error` is the
    metric, one of OBJECT_LOSSES, IMAGE_LOSSES or DETECTION_LOSSES. Crowds and ignored objects, and
    detections of them, have no error. truth: as `choose_truth` returns it, of objects; these and
    source_images: as in pipeline.tables; categories: CATEGORIES. Raises PredictionsError for
    results that cannot be used, naming the records, that are all of other images, nearly all of
    unknown categories, match nothing, or whose scores the metric cannot use. What may be another
    mistake than the detector's is a warning.
    """
    by_object = _are_objects(system, samples)
    _refuse_single_category(system, categories)
    detections = read_system_detections(system)
    placed = _place(detections, images, truth, source_images, categories, system)
    in_shares = system.format == "yolo-detections"
    kept = scale_boxes(placed.detections, images) if in_shares else placed.detections
    any_category = system.match == "any-category"
    matches = match_detections(truth, kept, samples, iou=system.iou, any_category=any_category)
    warnings = (*placed.warnings, *check_matches(matches, images, system))
    evaluation = add_other_images(
        matches,
        system,
        detections,
        images,
        objects=objects,
        source_images=source_images,
        categories=categories,
    )
    counts = None
    listed = matches.detections
    if finds_detections(system):
        listed = name_detections(listed, kept, samples)
        losses = score_false_positives(listed)
    elif by_object:
        losses = score_objects(matches, error=system.error)
    else:
        known = samples.join(source_images, on="path", how="semi")
        counts = count_by_image(matches, known)
        losses = score_images(counts, error=system.error)
    own = matches.objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    statuses = matches.detections["status"]
    notes = {
        **placed.notes,
        **{
            f"detections_{status.replace(' ', '_')}": int((statuses == status).sum())
            for status in STATUSES
        },
        "objects": own.height,
        "objects_missed": int((~own["found"]).sum()),
        "crowds_and_ignored": truth.height - own.height,
    }
    return Losses(
        losses=losses,
        errors_without_sample=placed.unknown_image,
        notes=notes,
        warnings=warnings,
        matches=listed,
        image_counts=counts,
        evaluation=evaluation,
    )


def finds_detections(system: System) -> bool:
    """Return whether the error of a system is one of its detections, not of objects or images."""
    return find_metric(system.error).samples == ("detection",)


def _are_objects(system: System, samples: pl.DataFrame) -> bool:
    """Return whether the samples are objects, not images.

    Raises PredictionsError if the system's error is not defined for them.
    """
    by_object = bool(samples["parent_id"].is_not_null().any())
    if finds_detections(system):
        return by_object
    options = list_metrics(system.format, sample="object" if by_object else "image")
    if system.error not in options and not samples.is_empty():
        of = "objects" if by_object else "images"
        raise PredictionsError(
            f"system {system.name!r}: the samples are {of}; error {system.error!r} is not one of "
            f"{of}, those are {', '.join(options)}"
        )
    return by_object


def _refuse_single_category(system: System, categories: pl.DataFrame) -> None:
    """Raise PredictionsError if the metric compares categories and only one is asked for."""
    if not find_metric(system.error).needs_categories:
        return
    asked = categories.filter("asked")["category"].unique().sort().to_list()
    if len(asked) == 1:
        raise PredictionsError(
            f"system {system.name!r}: {system.error} needs several categories and the audit has "
            f"{asked[0]!r} alone; name those it may be taken for in [dataset] categories, or use "
            'error = "miss"'
        )


def choose_truth(
    objects: pl.DataFrame, samples: pl.DataFrame, categories: pl.DataFrame
) -> pl.DataFrame:
    """Return the true boxes of the asked categories in the images of the samples.

    They are sorted by path and annotation id, numbers by value: of true boxes that a detection
    overlaps equally the last is matched, as in pycocotools with ids in rising order.
    """
    asked = categories.filter(pl.col("asked")).select("source", "category").unique()
    own = objects.join(asked, on=["source", "category"], how="semi")
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    here = own.join(samples, on="path", how="semi")
    return here.sort("path", number, "annotation_id", nulls_last=True)


def _place(
    detections: pl.DataFrame,
    samples: pl.DataFrame,
    truth: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
    system: System,
) -> _Placed:
    """Give detections their path and category; count those left out, by reason."""
    placed = detections.join(
        source_images, on=["source", "image_id"], how="left", maintain_order="left"
    )
    known = placed.filter(pl.col("path").is_not_null())
    if known.is_empty() and not placed.is_empty():
        raise PredictionsError(
            f"system {system.name!r}: none of the {placed.height} detections is of an image of "
            "the annotation files; are predictions and annotations listed in the same order?"
        )
    _refuse_shifted(known, categories, system)
    inside = known.join(samples, on="path", how="semi", maintain_order="left")
    named = inside.join(
        categories.select("source", "category_id", "category", "asked"),
        on=["source", "category_id"],
        how="left",
        maintain_order="left",
    )
    asked = named.filter(pl.col("asked").fill_null(value=False))
    minimum = system.min_score
    kept = asked if minimum is None else asked.filter(pl.col("score") >= minimum)
    unnamed = named["category"].null_count()
    notes: dict[str, object] = {
        "detections": detections.height,
        "detections_of_other_images": placed.height - known.height,
        "detections_of_images_left_out": known.height - inside.height,
        "detections_of_unknown_category": unnamed,
        "detections_of_other_categories": named.height - unnamed - asked.height,
        "detections_below_min_score": asked.height - kept.height,
        "detections_matched_against_truth": kept.height,
    }
    warnings = (
        *check_images(placed, truth, source_images),
        *check_categories(named, categories, system),
        *check_silence(notes),
    )
    return _Placed(kept, placed.height - known.height, notes, warnings)


def _refuse_shifted(detections: pl.DataFrame, categories: pl.DataFrame, system: System) -> None:
    """Raise PredictionsError where categories count from 0 and detections from 1.

    Some tools write COCO results so, and every category would be taken for the one before it. A
    sign of it: a number beyond the last category occurs, and 0 does not.
    """
    number = pl.col("category_id").cast(pl.Int64, strict=False)
    first, last = number.min().alias("first"), number.max().alias("last")
    distinct = pl.col("category_id").n_unique().alias("distinct")
    known = categories.group_by("source").agg(first, last, distinct)
    from_zero = (pl.col("first") == 0) & (pl.col("distinct") == pl.col("last") + 1)
    used = detections.group_by("source").agg(first, last)
    shifted = (
        known.filter(from_zero)
        .join(used, on="source", suffix="_used")
        .filter((pl.col("first_used") > 0) & (pl.col("last_used") == pl.col("last") + 1))
    )
    if not shifted.is_empty():
        row = shifted.sort("source").row(0, named=True)
        raise PredictionsError(
            f"system {system.name!r}: {system.predictions[row['source']]} numbers categories from "
            f"{row['first_used']} to {row['last_used']}, the dataset from 0 to {row['last']}; if "
            "its numbers count from 1, subtract 1, or give label files with format "
            '"yolo-detections"'
        )
