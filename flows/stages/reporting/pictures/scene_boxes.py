"""The boxes over whole images: what is true, what was found, what is false."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from pipeline.images.crop import Box
from reports.site_models import BoxKind, SceneBox

_FAR = 0.51  # pixels; a box that differs by less is the same one
_FOUND = "found"


def draw_scenes(
    paths: Sequence[str], matches: pl.DataFrame, truth: pl.DataFrame
) -> dict[str, tuple[SceneBox, ...]]:
    """Return the boxes of each image in `paths`.

    matches: DETECTION_MATCHES of all images. truth: OBJECTS; crowds and ignored ones are left out,
    as are the detections that they take.
    """
    boxes: dict[str, list[SceneBox]] = {path: [] for path in paths}
    own = matches.filter(pl.col("path").is_in(list(paths)))
    found = own.filter(pl.col("status") == _FOUND)
    taken = {(row["path"], row["annotation_id"]) for row in found.to_dicts()}
    for row in truth.filter(pl.col("path").is_in(list(paths))).to_dicts():
        if row.get("crowd") or row.get("ignore"):
            continue
        kind: BoxKind = "found" if (row["path"], row["annotation_id"]) in taken else "missed"
        boxes[row["path"]].append(SceneBox(kind, "truth", read_box(row), row["category"]))
    for row in own.filter(pl.col("status") != "ignored").to_dicts():
        is_found = row["status"] == _FOUND
        boxes[row["path"]].append(
            SceneBox(
                "found" if is_found else "false",
                "detection",
                read_box(row),
                row["category"],
                score=row["score"],
                iou=row["iou"],
                sample_id=row["sample_id"] if is_found else None,
            )
        )
    return {path: tuple(one for one in own if _is_finite(one.box)) for path, own in boxes.items()}


def focus_on(sample: Mapping[str, Any], boxes: Sequence[SceneBox]) -> tuple[SceneBox, ...]:
    """Mark the boxes of a sample: the true or detected box that it is, and what found it."""
    if sample["x"] is None:
        return tuple(boxes)
    box = read_box(sample)
    own = [one for one in boxes if _is_same(one.box, box) or one.sample_id == sample["sample_id"]]
    if not any(_is_same(one.box, box) for one in own):
        return (*boxes, SceneBox("true", "truth", box, sample["category"] or "", focus=True))
    return tuple(replace(one, focus=True) if one in own else one for one in boxes)


def find_images(false: pl.DataFrame, samples: pl.DataFrame) -> list[dict[str, Any]]:
    """Return FALSE_DETECTIONS as rows with the sample_id of their whole image, where it is one."""
    wholes = samples.filter(pl.col("x").is_null()).select("path", "sample_id").unique("path")
    return false.join(wholes, on="path", how="inner", maintain_order="left").to_dicts()


def read_box(row: Mapping[str, Any]) -> Box:
    """Return x, y, w and h of a row that has them."""
    return row["x"], row["y"], row["w"], row["h"]


def _is_same(one: Box, other: Box) -> bool:
    return all(abs(a - b) < _FAR for a, b in zip(one, other, strict=True))


def _is_finite(box: Box) -> bool:
    return all(value is not None and math.isfinite(value) for value in box)
