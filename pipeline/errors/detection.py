"""Errors of a detector: objects that no detection finds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.config import System
from pipeline.errors.matching import match_boxes
from pipeline.errors.scored import Losses
from pipeline.exceptions import PredictionsError
from pipeline.json_file import Records, read_json, shorten
from pipeline.table_file import SHOWN_ROWS
from pipeline.tables import BOX

_DETECTIONS = {
    "source": pl.Int64(),
    "image_id": pl.String(),
    "category_id": pl.String(),
    **BOX,
    "score": pl.Float64(),
}
_GROUP = ["path", "category"]


@dataclass(frozen=True)
class _Placed:
    """Detections with path and category that can be matched, and counts of the others."""

    detections: pl.DataFrame
    unknown_image: int
    notes: dict[str, object]


def score_detections(
    system: System,
    samples: pl.DataFrame,
    *,
    truth: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
) -> Losses:
    """Match COCO results to the true boxes of the asked categories.

    samples: the rows to score. An object's error is 1 if no detection of its category reaches
    `system.iou` with it at `system.min_score` or above, else 0. An image's error is the share of
    its objects missed; crowds and ignored objects do not count, and an image without objects has
    no error. truth: as `choose_truth` gives it; source_images: as in pipeline.tables; categories:
    source, category_id, category, asked. Raises PredictionsError for results that are no COCO
    results, naming the records, or that are all of other images.
    """
    files = enumerate(system.predictions)
    detections = pl.concat([read_detections(path, source=source) for source, path in files])
    placed = _place(detections, samples, source_images, categories, system)
    missed = _find_missed(truth, placed.detections, iou=system.iou)
    own = missed.filter(~pl.col("crowd") & ~pl.col("ignore"))
    keys = ["path", "annotation_id"]
    if samples["parent_id"].is_not_null().any():
        losses = samples.select("sample_id", *keys).join(own, on=keys, how="inner")
    else:
        shares = own.group_by("path").agg(pl.col("error").mean())
        losses = samples.select("sample_id", "path").join(shares, on="path", how="inner")
    notes = {
        **placed.notes,
        "objects": own.height,
        "objects_missed": int(own["error"].sum()),
        "crowds_and_ignored": missed.height - own.height,
    }
    return Losses(
        losses=losses.select("sample_id", "error"),
        errors_without_sample=placed.unknown_image,
        notes=notes,
    )


def choose_truth(
    objects: pl.DataFrame, samples: pl.DataFrame, categories: pl.DataFrame
) -> pl.DataFrame:
    """Return the true boxes of the asked categories in the images of the samples.

    They are sorted by path and annotation id, numbers by value: of true boxes that a detection
    overlaps equally the last is found, as in pycocotools, where files usually count ids up.
    """
    asked = categories.filter(pl.col("asked")).select("source", "category").unique()
    own = objects.join(asked, on=["source", "category"], how="semi")
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    seen = own.join(samples, on="path", how="semi")
    return seen.sort("path", number, "annotation_id", nulls_last=True)


def read_detections(path: Path, *, source: int) -> pl.DataFrame:
    """Read a file of COCO results: source, image_id, category_id, x, y, w, h, score, in file order.

    Raises PredictionsError naming the position of every record that cannot be used.
    """
    content = read_json(path, error=PredictionsError)
    if not isinstance(content, list):
        expected = "expected a list of COCO results with image_id, category_id, bbox and score"
        raise PredictionsError(f"{path}: holds {shorten(content)}, {expected}")
    records = Records.from_list(content)
    boxes = records.boxes("bbox")  # (m, 4)
    for index in np.flatnonzero((boxes[:, 2:] < 0).any(axis=1)).tolist():
        records.note(index, f"bbox is {shorten(boxes[index].tolist())}, a side is negative")
    frame = pl.DataFrame(
        {
            "source": pl.repeat(source, len(boxes), dtype=pl.Int64, eager=True),
            "image_id": records.ids("image_id"),
            "category_id": records.ids("category_id"),
            **{name: boxes[:, index] for index, name in enumerate("xywh")},
            "score": records.numbers("score"),
        },
        schema=_DETECTIONS,
    )
    if records.faults:
        raise PredictionsError(_tell_faults(path, records))
    return frame


def _tell_faults(path: Path, records: Records) -> str:
    faults = sorted(records.faults.items())
    lines = [f"[{row}]: {fault}" for row, fault in faults[:SHOWN_ROWS]]
    if len(faults) > SHOWN_ROWS:
        lines.append(f"and {len(faults) - SHOWN_ROWS} more")
    count = f"{len(faults)} of {len(records.items)} results cannot be used (counted from 0)"
    return "\n".join([f"{path}: {count}", *(f"  - {line}" for line in lines)])


def _place(
    detections: pl.DataFrame,
    samples: pl.DataFrame,
    source_images: pl.DataFrame,
    categories: pl.DataFrame,
    system: System,
) -> _Placed:
    """Give detections their path and category; count those that cannot count and why."""
    placed = detections.join(
        source_images, on=["source", "image_id"], how="left", maintain_order="left"
    )
    known = placed.filter(pl.col("path").is_not_null())
    if known.is_empty() and not placed.is_empty():
        raise PredictionsError(
            f"system {system.name!r}: none of the {placed.height} detections is of an image of "
            "the annotation files; are predictions and annotations listed in the same order?"
        )
    inside = known.join(samples, on="path", how="semi", maintain_order="left")
    named = inside.join(
        categories.select("source", "category_id", "category", "asked"),
        on=["source", "category_id"],
        how="left",
        maintain_order="left",
    )
    asked = named.filter(pl.col("asked").fill_null(value=False))
    kept = asked.filter(pl.col("score") >= system.min_score)
    unnamed = named["category"].null_count()
    notes: dict[str, object] = {
        "detections": detections.height,
        "detections_of_images_left_out": known.height - inside.height,
        "detections_of_unknown_category": unnamed,
        "detections_of_other_categories": named.height - unnamed - asked.height,
        "detections_below_min_score": asked.height - kept.height,
        "detections_matched_against_truth": kept.height,
    }
    return _Placed(kept, placed.height - known.height, notes)


def _find_missed(truth: pl.DataFrame, detections: pl.DataFrame, *, iou: float) -> pl.DataFrame:
    """Return the truth with `error`: 1 where no detection finds the box, else 0."""
    groups = truth.select(_GROUP).unique(maintain_order=True).with_row_index("group")
    true = truth.join(groups, on=_GROUP, how="left", maintain_order="left")
    # A detection where nothing is to be found can find nothing: it is a false alarm, not a miss.
    candidates = detections.join(groups, on=_GROUP, how="inner", maintain_order="left")
    found = match_boxes(
        truth_group=true["group"].cast(pl.Int64).to_numpy(),
        truth_boxes=true.select("x", "y", "w", "h").to_numpy(),
        truth_ignored=(true["crowd"] | true["ignore"]).to_numpy(),
        detection_group=candidates["group"].cast(pl.Int64).to_numpy(),
        detection_boxes=candidates.select("x", "y", "w", "h").to_numpy(),
        scores=candidates["score"].to_numpy(),
        iou=iou,
    )
    return truth.with_columns(error=pl.Series((found < 0).astype(np.float64)))
