"""Annotations that are likely wrong, by what detectors say of the same images."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints, Mask
from pipeline.errors.evaluation.evaluation_tables import RELABEL
from pipeline.errors.match_status import number_texts, take_boxes
from pipeline.errors.overlaps import measure_overlap, pair_up
from pipeline.tables import check

UNLABELLED, OTHER_CATEGORY, NOT_FOUND = "unlabelled object", "other category", "not found"
APART = 0.1  # overlap up to which a detection is about something else, as TIDE's background
_PAIRS = 2_000_000  # in a batch


def list_relabelling(
    evaluations: Mapping[str, tuple[pl.DataFrame, pl.DataFrame]],
    likeness: Mapping[str, pl.Series] | None = None,
) -> pl.DataFrame:
    """Return RELABEL: what to check again, each reason with the most suspicious first.

    evaluations: by system the DETECTION_MATCHES of all images and the true boxes in them. A
    detection is confident if it scores as high as half of those that found an object of its
    category. Listed are, for each system, confident false positives that overlap no true box by
    more than APART ("unlabelled object") and confident detections on an object of another category
    that is not found ("other category"), by falling score; and the objects that no detection of any
    system, of whatever category and score, overlaps by more than APART ("not found"), largest
    first: a box may be there without an object. likeness: by system, of each row of its matches the
    cosine to the objects of the category; null without vectors.
    """
    parts = []
    for name, (matches, truth) in evaluations.items():
        like = (likeness or {}).get(name, pl.Series([None] * len(matches), dtype=pl.Float64))
        confident = _find_confident(matches)
        clear = pl.Series(_find_largest_overlap(matches, truth) <= APART)
        status = matches["status"]
        own = matches.with_columns(likeness=like, system=pl.lit(name))
        unlabelled = own.filter(confident & clear & (status == "false positive"))
        renamed = own.filter(confident & (status == "wrong class"))
        for reason, rows in ((UNLABELLED, unlabelled), (OTHER_CATEGORY, renamed)):
            parts.append(rows.with_columns(reason=pl.lit(reason)).sort("score", descending=True))
    parts.append(_list_not_found(evaluations))
    frame = pl.concat([part.select(list(RELABEL)) for part in parts], how="vertical_relaxed")
    return check(frame, RELABEL, table="relabel")


def measure_likeness(matches: pl.DataFrame, vectors: Floats) -> pl.Series:
    """Return (m,) the cosine of each detection to the mean of those that found its category.

    matches: DETECTION_MATCHES. vectors: (m, d) unit-length, of their crops; NaN where there is
    none. Null there, and where none of the category has a vector.
    """
    likeness = np.full(len(matches), np.nan)
    known = np.isfinite(vectors).all(axis=1)
    found = known & (matches["status"] == "found").to_numpy()
    for (category,), rows in matches.with_row_index().group_by("category"):
        own = (matches["category"] == category).to_numpy() & found
        if own.any():
            mean = vectors[own].mean(axis=0)
            place = rows["index"].to_numpy()
            likeness[place] = vectors[place] @ (mean / np.linalg.norm(mean))
    return pl.Series(likeness).fill_nan(None)


def _find_confident(matches: pl.DataFrame) -> pl.Series:
    """Return (m,) which detections score at least the median of those that found their category."""
    found = matches.filter(pl.col("status") == "found")
    usual = found.group_by("category").agg(pl.col("score").median().alias("usual"))
    joined = matches.join(usual, on="category", how="left", maintain_order="left")
    return (joined["score"] >= joined["usual"]).fill_null(value=False)


def _find_largest_overlap(detections: pl.DataFrame, truth: pl.DataFrame) -> Floats:
    """Return (m,) the largest overlap of each detection with a true box, crowds included."""
    largest = np.zeros(len(detections))
    for place, _, overlap in _overlap_all(detections, truth):
        np.maximum.at(largest, place, overlap)
    return largest


def _list_not_found(
    evaluations: Mapping[str, tuple[pl.DataFrame, pl.DataFrame]],
) -> pl.DataFrame:
    truth = next(iter(evaluations.values()))[1]
    seen = np.zeros(len(truth), dtype=np.bool_)
    for matches, _ in evaluations.values():
        seen |= _find_touched(matches, truth)
    counted = ~pl.col("crowd") & ~pl.col("ignore")
    own = truth.filter(pl.Series(~seen)).filter(counted)
    area = pl.col("w") * pl.col("h")
    return own.sort(area, "path", "annotation_id", descending=[True, False, False]).with_columns(
        system=pl.lit(None, dtype=pl.String),
        reason=pl.lit(NOT_FOUND),
        score=pl.lit(None, dtype=pl.Float64),
        likeness=pl.lit(None, dtype=pl.Float64),
    )


def _find_touched(detections: pl.DataFrame, truth: pl.DataFrame) -> Mask:
    touched = np.zeros(len(truth), dtype=np.bool_)
    for _, candidate, overlap in _overlap_all(detections, truth):
        touched[candidate[overlap > APART]] = True
    return touched


def _overlap_all(
    detections: pl.DataFrame, truth: pl.DataFrame
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield for all pairs of one image, in batches: detection, true box, and their overlap."""
    true_image, image = number_texts(truth["path"], detections["path"])
    boxes, true_boxes = take_boxes(detections), take_boxes(truth)
    crowds = (truth["crowd"] | truth["ignore"]).to_numpy()
    for place, other in pair_up(image, true_image, _PAIRS):
        yield place, other, measure_overlap(boxes[place], true_boxes[other], crowds=crowds[other])
