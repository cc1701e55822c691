"""A detector as a whole: average precision, precision and recall, kinds of errors, confusions."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.errors.evaluation.box_arrays import BoxArrays, take_arrays
from pipeline.errors.evaluation.evaluation_tables import (
    CATEGORY_SCORES,
    CONFUSIONS,
    CURVE,
    OPERATING_POINTS,
)
from pipeline.errors.evaluation.false_detections import list_false_detections
from pipeline.errors.evaluation.precision_recall import (
    THRESHOLDS,
    average_over,
    judge_detections,
    trace_curve,
)
from pipeline.errors.evaluation.size_scores import score_sizes
from pipeline.errors.evaluation.tide import list_error_kinds
from pipeline.errors.match_status import UNMATCHED
from pipeline.errors.matching import Matches
from pipeline.tables import check

CURVES = 6  # categories that have a curve of their own
AS_AUDITED, BEST_F1 = "as audited", "best F1"


@dataclass(frozen=True, eq=False)
class DetectorSummary:
    """What is said of a detector beside its errors.

    ap50, ap: mean over the categories with objects, at an overlap of 0.5 and over 0.5 to 0.95, as
    COCO has them; None without objects. categories: CATEGORY_SCORES by falling number of objects.
    points: OPERATING_POINTS, at the overlap `iou`. kinds: ERROR_KINDS at an overlap of 0.5.
    confusions: CONFUSIONS at `iou`, matched whatever the category. any_category: whether categories
    were not compared. curves: CURVE at `iou`. false: FALSE_DETECTIONS. sizes: SIZE_SCORES at `iou`.
    """

    iou: float
    any_category: bool
    ap50: float | None
    ap: float | None
    categories: pl.DataFrame
    points: pl.DataFrame
    kinds: pl.DataFrame
    confusions: pl.DataFrame
    curves: pl.DataFrame
    false: pl.DataFrame
    sizes: pl.DataFrame


def summarise_detector(
    matches: pl.DataFrame, truth: pl.DataFrame, *, iou: float, any_category: bool = False
) -> DetectorSummary:
    """Evaluate the detections of a system that count.

    matches: DETECTION_MATCHES, made at the overlap `iou`. truth: the true boxes of the asked
    categories in the audited images, as `choose_truth` returns them, those without detections too.
    """
    arrays = take_arrays(truth, matches, any_category=any_category)
    found = arrays.match(THRESHOLDS)
    averages = [judge_detections(arrays, one).average(arrays.objects) for one in found]
    ap50, ap = averages[0], np.mean(averages, axis=0)
    categories = _score_categories(arrays, arrays.match((iou,))[0], ap50, ap)
    return DetectorSummary(
        iou=iou,
        any_category=any_category,
        ap50=average_over(ap50),
        ap=average_over(ap),
        categories=categories,
        points=list_operating_points(matches, objects=int(arrays.objects.sum())),
        kinds=list_error_kinds(arrays, found[0]),
        confusions=count_confusions(truth, matches, iou=iou),
        curves=trace_curves(matches, categories),
        false=list_false_detections(arrays, found[0], matches, any_category=any_category),
        sizes=score_sizes(matches, truth),
    )


def trace_curves(matches: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """Return CURVE of all categories together, then of the CURVES with most objects.

    matches: DETECTION_MATCHES. categories: CATEGORY_SCORES. Of one category there is one curve.
    """
    counted = matches.filter(pl.col("status") != "ignored").sort("score", descending=True)
    asked: list[tuple[str | None, int]] = [(None, int(categories["objects"].sum()))]
    if categories.height > 1:
        asked += categories.head(CURVES).select("category", "objects").rows()
    parts = []
    for name, objects in asked:
        own = counted if name is None else counted.filter(pl.col("category") == name)
        correct = ~own["status"].is_in(UNMATCHED).to_numpy()
        points = trace_curve(correct, own["score"].to_numpy(), objects)
        parts += [(name, *point) for point in points]
    frame = pl.DataFrame(parts, schema=dict(CURVE), orient="row")
    return check(frame, CURVE, table="curves")


def list_operating_points(matches: pl.DataFrame, *, objects: int) -> pl.DataFrame:
    """Return OPERATING_POINTS: with all detections that count, and where F1 is highest.

    matches: DETECTION_MATCHES. objects: how many there are to find. Duplicates, wrong classes and
    false positives are wrong; detections of crowds and ignored objects do not count.
    """
    counted = matches.filter(pl.col("status") != "ignored").sort("score", descending=True)
    if counted.is_empty():
        return check(pl.DataFrame(schema=dict(OPERATING_POINTS)), OPERATING_POINTS, table="points")
    scores = counted["score"].to_numpy()
    found = np.cumsum(~counted["status"].is_in(UNMATCHED).to_numpy())
    ends = np.append(scores[1:] != scores[:-1], True)  # of equal scores all count or none
    f1 = 2 * found / (np.arange(1, len(scores) + 1) + objects)
    best = int(np.argmax(np.where(ends, f1, -1.0)))
    rows = []
    for name, place in ((AS_AUDITED, len(scores) - 1), (BEST_F1, best)):
        recall = float(found[place]) / objects if objects else None
        precision = float(found[place]) / (place + 1)
        rows.append((name, float(scores[place]), precision, recall, float(f1[place])))
    frame = pl.DataFrame(rows, schema=dict(OPERATING_POINTS), orient="row")
    return check(frame, OPERATING_POINTS, table="operating points")


def count_confusions(truth: pl.DataFrame, matches: pl.DataFrame, *, iou: float) -> pl.DataFrame:
    """Return CONFUSIONS by falling number, from one matching whatever the category.

    Each detection takes, by falling score, the free object that it overlaps most.
    """
    arrays = take_arrays(truth, matches)
    made = arrays.match((iou,), across=True)[0]
    names = pl.Series(arrays.categories, dtype=pl.String)
    objects = np.flatnonzero(~arrays.ignored)
    finder = pl.Series(made.detection_of[objects])
    finder = finder.set(finder < 0, None)
    taken_for = names.gather(pl.Series(arrays.category).gather(finder))
    found = pl.DataFrame(
        {"category": names.gather(arrays.true_category[objects]), "taken_for": taken_for}
    )
    free = arrays.category[made.truth_of < 0]
    nothing = pl.Series([None] * len(free), dtype=pl.String)
    invented = pl.DataFrame({"category": nothing, "taken_for": names.gather(free)})
    counted = pl.concat([found, invented]).group_by("category", "taken_for").len(name="n")
    ordered = counted.sort("n", "category", "taken_for", descending=[True, False, False])
    return check(ordered, CONFUSIONS, table="confusions")


def _score_categories(
    arrays: BoxArrays, matches: Matches, ap50: Floats, ap: Floats
) -> pl.DataFrame:
    judged = judge_detections(arrays, matches)
    count = len(arrays.categories)

    def tally(chosen: Mask) -> pl.Series:
        return pl.Series(np.bincount(judged.category[chosen], minlength=count))

    frame = pl.DataFrame(
        {
            "category": pl.Series(arrays.categories, dtype=pl.String),
            "objects": arrays.objects,
            "detections": tally(judged.counted),
            "found": tally(judged.correct),
            "ap50": pl.Series(ap50).fill_nan(None),
            "ap": pl.Series(ap).fill_nan(None),
        }
    )
    found = pl.col("found")
    rated = frame.with_columns(
        precision=pl.when(pl.col("detections") > 0).then(found / pl.col("detections")),
        recall=pl.when(pl.col("objects") > 0).then(found / pl.col("objects")),
    )
    ordered = rated.select(list(CATEGORY_SCORES)).sort(
        "objects", "category", descending=[True, False]
    )
    return check(ordered, CATEGORY_SCORES, table="category scores")
