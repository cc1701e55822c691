"""Warnings of a detector's file: signs that its boxes or names mean something else."""

from collections.abc import Mapping

import polars as pl

from pipeline.config.audit import System
from pipeline.errors.checks.box_scales import OtherFrame, find_highest_overlap, find_other_frame
from pipeline.errors.match_status import DetectionMatches
from pipeline.exceptions import PredictionsError

REFUSED_SHARE = 0.8  # of detections of unknown categories, from which a file is refused
WARNED_SHARE = 0.1  # of detections of unknown categories or images, above which one warns
_SILENT_SHARE = 0.5  # of images with objects that have no detection, above which one warns
_MISSED_SHARE = 0.5  # of the objects, above which boxes are tried in other frames
_LEAST = 10  # objects and detections, from which it is no accident that none overlap
_MANY = 100  # objects and detections, from which it is no accident that none match
_NO_OVERLAP = 0.05  # intersection over union, below which boxes do not lie on objects
_SHOWN = 5  # names in a message


def check_categories(
    named: pl.DataFrame, categories: pl.DataFrame, system: System
) -> tuple[str, ...]:
    """Return what is questionable about the categories that detections name.

    named: source, category_id, and category (null where the dataset does not have that id) of the
    detections in images of the samples. Raises PredictionsError where REFUSED_SHARE or more of
    them are unknown, with the ids in the file and those of the dataset.
    """
    unknown = named.filter(pl.col("category").is_null())
    if unknown.is_empty():
        return ()
    every = unknown.height == named.height
    ignored = system.unknown_categories == "ignore"
    share = unknown.height / named.height
    if (ignored and not every) or share <= WARNED_SHARE:
        return ()
    count = (
        f"all of its {named.height:,}" if every else f"{unknown.height:,} of its {named.height:,}"
    )
    number = pl.col("category_id").cast(pl.Int64, strict=False)
    ids = categories.select("category_id", "category").unique()
    known = ids.sort(number, "category_id", nulls_last=True).rows()
    listed = [f"{number!r} ({name})" if number != name else repr(name) for number, name in known]
    warning = (
        f"{count} detections are of categories that the dataset does not have: "
        f"{_count_names(unknown['category_id'])}; the dataset has {_shorten(listed)}"
    )
    if share < REFUSED_SHARE:
        return (warning,)
    hint = (
        ""
        if ignored or every
        else ', or unknown_categories = "ignore" if the others are to be left out'
    )
    raise PredictionsError(f"system {system.name!r}: {warning}; give the ids of the dataset{hint}")


def check_images(
    placed: pl.DataFrame, objects: pl.DataFrame, source_images: pl.DataFrame
) -> tuple[str, ...]:
    """Return what is questionable about the images that detections name.

    placed: image_id and path (null for an image that the dataset does not have) of all detections.
    A file may speak of more images than the dataset has: it is questionable where images with
    objects have no detection besides.
    """
    unknown = placed.filter(pl.col("path").is_null())
    filled = objects["path"].unique()
    silent = len(filled) - int(filled.is_in(placed["path"].unique().implode()).sum())
    few = unknown.height <= WARNED_SHARE * placed.height
    if few or silent <= _SILENT_SHARE * len(filled):
        return ()
    names = source_images["image_id"].sort().unique(maintain_order=True).to_list()
    return (
        f"{unknown.height:,} of its {placed.height:,} detections are of images that the dataset "
        f"does not have: {_count_names(unknown['image_id'])}; {silent:,} of {len(filled):,} images "
        f"with objects have no detection; the dataset has {_shorten([repr(one) for one in names])}",
    )


def check_silence(notes: Mapping[str, object]) -> tuple[str, ...]:
    """Return what is questionable where no detection counts. notes: the counts."""
    if notes["detections_matched_against_truth"]:
        return ()
    if not notes["detections"]:
        return ("its file holds no detection, so every object is missed",)
    return (
        f"none of its {notes['detections']:,} detections counts "
        f"({notes['detections_below_min_score']:,} below min_score, "
        f"{notes['detections_of_other_categories']:,} of other categories, "
        f"{notes['detections_of_unknown_category']:,} of unknown ones), so every object is missed",
    )


def check_matches(
    matches: DetectionMatches, samples: pl.DataFrame, system: System
) -> tuple[str, ...]:
    """Return what is questionable about how detections lie on the objects.

    samples: the scored rows, with the size of their image. Raises PredictionsError where no
    detection matches any object and that is no accident: there is a frame in which they would,
    none lies on an object, or both are many.
    """
    counted = matches.objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    found = int(counted["found"].sum())
    detections = matches.detections
    if counted.is_empty() or detections.is_empty():
        return ()
    wrong = int((detections["status"] == "wrong class").sum())
    frame = None
    if counted.height - found > _MISSED_SHARE * counted.height and wrong <= found:
        frame = find_other_frame(counted, detections, samples, iou=system.iou)
    warnings = []
    if frame is not None:
        warnings.append(_describe_frame(frame, system))
    if wrong > found:
        warnings.append(
            f"{wrong:,} of its detections lie on an object of another category and {found:,} on "
            "one of their own: are the ids of categories those of the dataset?"
        )
    if found or (wrong and frame is None):
        return tuple(warnings)
    nothing = f"no detection matches any of the {counted.height:,} objects"
    fewest = min(counted.height, detections.height)
    if frame is None:
        overlap = find_highest_overlap(counted, detections)
        cause = f"the highest overlap is {overlap:.2g}, iou is {system.iou:g}; check the boxes"
        if fewest < (_LEAST if overlap < _NO_OVERLAP else _MANY):
            return (f"{nothing}: {cause}",)
        warnings = [cause]
    raise PredictionsError(f"system {system.name!r}: {nothing}: {'; '.join(warnings)}")


def _describe_frame(frame: OtherFrame, system: System) -> str:
    return (
        f"its boxes seem to be {frame.words}: brought to pixels of their images they reach "
        f"{frame.share_there:.0%} of the objects at iou = {system.iou:g}, as they are "
        f"{frame.share:.0%}"
    )


def _count_names(names: pl.Series) -> str:
    """Write the most frequent names with their counts."""
    counted = names.alias("name").value_counts().sort(["count", "name"], descending=[True, False])
    return _shorten([f"{name!r} ({count:,})" for name, count in counted.iter_rows()])


def _shorten(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
