"""The match status of each detection and of each true object, from one matching."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints
from pipeline.errors.matching import match_boxes
from pipeline.errors.overlaps import find_targets, measure_overlap
from pipeline.tables import BOX, DETECTION_MATCHES, check

STATUSES = ("found", "ignored", "duplicate", "wrong class", "false positive")
_FOUND, _IGNORED, _DUPLICATE, _WRONG_CLASS, _FALSE_POSITIVE = range(len(STATUSES))
UNMATCHED = STATUSES[_DUPLICATE:]  # detections that match no object


@dataclass(frozen=True)
class DetectionMatches:
    """detections: the DETECTION_MATCHES table. objects: the truth and how each object is matched.

    Beside the truth's columns `objects` has sample_id (null where it is no scored sample), found,
    found_iou and found_score (null where no detection matches it), duplicates (how many detections)
    and wrong_class (whether a detection of another category has it as its target). Crowds and
    ignored objects have these columns too; they do not count.
    """

    detections: pl.DataFrame
    objects: pl.DataFrame


@dataclass(frozen=True)
class _Assignment:
    """detection_of: (n,) as in `Matches`. For m detections: target (-1: none), overlap, status."""

    detection_of: Ints
    target: Ints
    overlap: Floats
    status: Ints


def match_detections(
    truth: pl.DataFrame,
    detections: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    iou: float,
    any_category: bool = False,
) -> DetectionMatches:
    """Match detections to true boxes and give each a match status.

    truth: as `choose_truth` returns it. detections: path, category, x, y, w, h, score, in file
    order. samples: the scored rows. The status is "found" (matches a counted object), "ignored"
    (matches a crowd or ignored one), "duplicate" (matches none, but reaches `iou` with a found
    object of its category), "wrong class" (reaches `iou` with an object of another category that
    no detection matches), else "false positive". Each has at most one target object, that of
    highest overlap. any_category: take all for one category, so that none is of the wrong class.
    """
    assigned = _assign(truth, detections, iou=iou, any_category=any_category)
    truth = _name_samples(truth, samples)
    return DetectionMatches(
        detections=_list_detections(truth, detections, assigned),
        objects=_list_objects(truth, detections, assigned),
    )


def _assign(
    truth: pl.DataFrame, detections: pl.DataFrame, *, iou: float, any_category: bool
) -> _Assignment:
    true_image, image = number_texts(truth["path"], detections["path"])
    true_category, category = number_texts(truth["category"], detections["category"])
    if any_category:
        true_category, category = np.zeros_like(true_category), np.zeros_like(category)
    true_boxes, boxes = take_boxes(truth), take_boxes(detections)
    ignored = (truth["crowd"] | truth["ignore"]).to_numpy()  # (n,)
    categories = len(truth) + len(detections)  # no more of them than that
    matches = match_boxes(
        truth_group=true_image * categories + true_category,
        truth_boxes=true_boxes,
        truth_ignored=ignored,
        detection_group=image * categories + category,
        detection_boxes=boxes,
        scores=detections["score"].to_numpy(),
        iou=iou,
    )
    target = matches.truth_of.copy()  # (m,)
    free, counted = np.flatnonzero(target < 0), np.flatnonzero(~ignored)
    nearest = find_targets(
        image=image[free],
        category=category[free],
        boxes=boxes[free],
        object_image=true_image[counted],
        object_category=true_category[counted],
        object_boxes=true_boxes[counted],
        object_found=matches.detection_of[counted] >= 0,
        iou=iou,
    )
    target[free[nearest >= 0]] = counted[nearest[nearest >= 0]]
    has = np.flatnonzero(target >= 0)
    own = target[has]
    overlap = np.zeros(len(target))
    overlap[has] = measure_overlap(boxes[has], true_boxes[own], crowds=ignored[own])
    status = np.full(len(target), _FALSE_POSITIVE)
    status[has] = np.where(
        matches.truth_of[has] >= 0,
        np.where(ignored[own], _IGNORED, _FOUND),
        np.where(true_category[own] == category[has], _DUPLICATE, _WRONG_CLASS),
    )
    # Rounding can leave a box that overlaps itself a little above 1.
    return _Assignment(matches.detection_of, target, np.minimum(overlap, 1.0), status)


def number_texts(
    truth: pl.Series, detections: pl.Series, *, names: pl.Series | None = None
) -> tuple[Ints, Ints]:
    """Return (n,) and (m,) numbers from 0, equal where the texts are.

    names: all that occur, once each: the numbers are their positions.
    """
    both = pl.concat([truth, detections]).alias("text").to_frame()
    distinct = both.unique(maintain_order=True) if names is None else names.alias("text").to_frame()
    numbers = distinct.with_row_index("number")
    joined = both.join(numbers, on="text", how="left", maintain_order="left")
    values = joined["number"].cast(pl.Int64).to_numpy()
    return values[: len(truth)], values[len(truth) :]


def take_boxes(frame: pl.DataFrame) -> Floats:
    """Return (n, 4) the boxes of a frame as x, y, width, height."""
    return frame.select(*BOX).to_numpy()  # (n, 4)


def _name_samples(truth: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Give each true object the id of the scored sample that it is; null if it is none."""
    keys = ["path", "annotation_id"]
    objects = samples.filter(pl.col("parent_id").is_not_null()).select("sample_id", *keys)
    return truth.join(objects, on=keys, how="left", maintain_order="left")


def _list_detections(
    truth: pl.DataFrame, detections: pl.DataFrame, assigned: _Assignment
) -> pl.DataFrame:
    target = _null_negative(assigned.target)
    names = pl.Series(STATUSES, dtype=pl.String)
    frame = detections.select("path", "category", *BOX, "score").with_columns(
        names.gather(assigned.status).alias("status"),
        pl.Series("iou", assigned.overlap),
        truth["annotation_id"].gather(target).alias("annotation_id"),
        truth["sample_id"].gather(target).alias("sample_id"),
    )
    frame = frame.sort("score", descending=True, maintain_order=True)
    return check(frame, DETECTION_MATCHES, table="detection matches")


def _list_objects(
    truth: pl.DataFrame, detections: pl.DataFrame, assigned: _Assignment
) -> pl.DataFrame:
    finder = _null_negative(assigned.detection_of)
    count = len(truth)
    duplicate = assigned.target[assigned.status == _DUPLICATE]
    confused = assigned.target[assigned.status == _WRONG_CLASS]
    return truth.with_columns(
        finder.is_not_null().alias("found"),
        pl.Series("iou", assigned.overlap).gather(finder).alias("found_iou"),
        detections["score"].gather(finder).alias("found_score"),
        pl.Series("duplicates", np.bincount(duplicate, minlength=count)),
        pl.Series("wrong_class", np.bincount(confused, minlength=count) > 0),
    )


def _null_negative(positions: Ints) -> pl.Series:
    """Return positions with null for -1, as `gather` takes them."""
    series = pl.Series(positions)
    return series.set(series < 0, None)
