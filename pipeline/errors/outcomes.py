"""What became of each detection and of each true object: one matching, told from both sides."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.errors.matching import Floats, Ints, match_boxes
from pipeline.errors.overlaps import measure_overlap, name_objects
from pipeline.tables import BOX, DETECTION_OUTCOMES, check

OUTCOMES = ("found", "ignored", "duplicate", "wrong class", "false positive")
_FOUND, _IGNORED, _DUPLICATE, _WRONG_CLASS, _FALSE_POSITIVE = range(len(OUTCOMES))
FALSE_OUTCOMES = OUTCOMES[_DUPLICATE:]  # claims that are not so


@dataclass(frozen=True)
class Outcomes:
    """detections: the DETECTION_OUTCOMES table. objects: the truth and what became of each object.

    Beside the truth's columns `objects` has sample_id (null where it is no scored sample), found,
    found_iou and found_score (null where nothing found it), duplicates (how many detections) and
    wrong_class (whether a detection of another category is about it). Crowds and ignored objects
    have these columns too; they do not count.
    """

    detections: pl.DataFrame
    objects: pl.DataFrame


@dataclass(frozen=True)
class _Followed:
    """finders: (n,) as in `Matches`. For m detections: object (-1: none), overlap, outcome."""

    finders: Ints
    about: Ints
    overlap: Floats
    outcome: Ints


def follow_detections(
    truth: pl.DataFrame, detections: pl.DataFrame, samples: pl.DataFrame, *, iou: float
) -> Outcomes:
    """Match detections to true boxes and tell the outcome of each.

    truth: as `choose_truth` gives it. detections: path, category, x, y, w, h, score, in file order.
    samples: the scored rows. An outcome is "found" (it took a counted object), "ignored" (it took a
    crowd or ignored one), "duplicate" (it took none, but reaches `iou` with a found object of its
    category), "wrong class" (it reaches `iou` with an object of another category that nothing
    found), else "false positive". Each is about one object, that of highest overlap.
    """
    followed = _follow(truth, detections, iou=iou)
    truth = _name_samples(truth, samples)
    return Outcomes(
        detections=_tell_detections(truth, detections, followed),
        objects=_tell_objects(truth, detections, followed),
    )


def _follow(truth: pl.DataFrame, detections: pl.DataFrame, *, iou: float) -> _Followed:
    true_image, image = _number_texts(truth["path"], detections["path"])
    true_category, category = _number_texts(truth["category"], detections["category"])
    true_boxes, boxes = _take_boxes(truth), _take_boxes(detections)
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
    about = matches.taken.copy()  # (m,)
    free, counted = np.flatnonzero(about < 0), np.flatnonzero(~ignored)
    named = name_objects(
        image=image[free],
        category=category[free],
        boxes=boxes[free],
        object_image=true_image[counted],
        object_category=true_category[counted],
        object_boxes=true_boxes[counted],
        object_found=matches.finders[counted] >= 0,
        iou=iou,
    )
    about[free[named >= 0]] = counted[named[named >= 0]]
    has = np.flatnonzero(about >= 0)
    target = about[has]
    overlap = np.zeros(len(about))
    overlap[has] = measure_overlap(boxes[has], true_boxes[target], crowds=ignored[target])
    outcome = np.full(len(about), _FALSE_POSITIVE)
    outcome[has] = np.where(
        matches.taken[has] >= 0,
        np.where(ignored[target], _IGNORED, _FOUND),
        np.where(true_category[target] == category[has], _DUPLICATE, _WRONG_CLASS),
    )
    # Rounding can leave a box that overlaps itself a little above 1.
    return _Followed(matches.finders, about, np.minimum(overlap, 1.0), outcome)


def _number_texts(truth: pl.Series, detections: pl.Series) -> tuple[Ints, Ints]:
    """Return (n,) and (m,) numbers from 0, equal where the texts are."""
    both = pl.concat([truth, detections]).alias("text").to_frame()
    numbers = both.unique(maintain_order=True).with_row_index("number")
    joined = both.join(numbers, on="text", how="left", maintain_order="left")
    values = joined["number"].cast(pl.Int64).to_numpy()
    return values[: len(truth)], values[len(truth) :]


def _take_boxes(frame: pl.DataFrame) -> Floats:
    return frame.select(*BOX).to_numpy()  # (n, 4)


def _name_samples(truth: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Give each true object the id of the scored sample that it is; null if it is none."""
    keys = ["path", "annotation_id"]
    objects = samples.filter(pl.col("parent_id").is_not_null()).select("sample_id", *keys)
    return truth.join(objects, on=keys, how="left", maintain_order="left")


def _tell_detections(
    truth: pl.DataFrame, detections: pl.DataFrame, followed: _Followed
) -> pl.DataFrame:
    at = pl.Series(followed.about)
    at = at.set(at < 0, None)
    names = pl.Series(OUTCOMES, dtype=pl.String)
    frame = detections.select("path", "category", *BOX, "score").with_columns(
        names.gather(followed.outcome).alias("outcome"),
        pl.Series("iou", followed.overlap),
        truth["annotation_id"].gather(at).alias("annotation_id"),
        truth["sample_id"].gather(at).alias("sample_id"),
    )
    frame = frame.sort("score", descending=True, maintain_order=True)
    return check(frame, DETECTION_OUTCOMES, table="detection outcomes")


def _tell_objects(
    truth: pl.DataFrame, detections: pl.DataFrame, followed: _Followed
) -> pl.DataFrame:
    finder = pl.Series(followed.finders)
    finder = finder.set(finder < 0, None)
    count = len(truth)
    duplicate = followed.about[followed.outcome == _DUPLICATE]
    confused = followed.about[followed.outcome == _WRONG_CLASS]
    return truth.with_columns(
        finder.is_not_null().alias("found"),
        pl.Series("iou", followed.overlap).gather(finder).alias("found_iou"),
        detections["score"].gather(finder).alias("found_score"),
        pl.Series("duplicates", np.bincount(duplicate, minlength=count)),
        pl.Series("wrong_class", np.bincount(confused, minlength=count) > 0),
    )
