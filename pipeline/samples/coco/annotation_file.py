"""One COCO annotation file as frames; faults name records by their position."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline.exceptions import DatasetError
from pipeline.files.json_file import Records, read_json, shorten
from pipeline.samples.coco.further_keys import (
    ANNOTATION_KEYS,
    IMAGE_KEYS,
    read_further_keys,
)
from pipeline.samples.coco.outlines import frame_outline
from pipeline.tables import BOX

_IMAGES = {
    "image_id": pl.String(),
    "file_name": pl.String(),
    "stated_width": pl.Int64(),
    "stated_height": pl.Int64(),
}
_ANNOTATIONS = {
    "annotation_id": pl.String(),
    "image_id": pl.String(),
    "category_id": pl.String(),
    **BOX,
    "crowd": pl.Boolean(),
    "ignore": pl.Boolean(),
}
_LARGEST_SIDE = 1e6  # pixels; no image that can be decoded is longer, and sums of boxes stay exact


@dataclass(frozen=True)
class CocoFile:
    """The usable records of one file, each with a `row`: its position in its list, from 0.

    images: row, image_id, file_name, stated_width, stated_height (null where not stated).
    annotations: row, annotation_id, image_id, category_id, x, y, w, h (finite, w and h > 0), crowd,
    ignore. framed: how many of them state no box, but a segmentation, whose box they got.
    categories: row, category_id, category. image_extra, annotation_extra: row and, as text, what
    records say beyond that. faults: row, list ("images" or "annotations"),
    image_id (null where it is unknown) and reason of each record that cannot be used.
    """

    path: Path
    images: pl.DataFrame
    annotations: pl.DataFrame
    categories: pl.DataFrame
    image_extra: pl.DataFrame
    annotation_extra: pl.DataFrame
    faults: pl.DataFrame
    framed: int = 0


def read_coco_file(path: Path) -> CocoFile:
    """Read a COCO annotation file.

    Raises DatasetError if it is no JSON object with lists of images, annotations and categories,
    or if a category is unusable or repeated, naming every problem.
    """
    content = read_json(path, error=DatasetError)
    lists = _take_lists(path, content)
    categories = _read_categories(path, lists["categories"])
    images, image_faults = _read_images(lists["images"])
    annotations, annotation_faults, framed = _read_annotations(lists["annotations"])
    return CocoFile(
        path=path,
        images=images,
        annotations=annotations,
        categories=categories,
        image_extra=read_further_keys(lists["images"], IMAGE_KEYS),
        annotation_extra=read_further_keys(lists["annotations"], ANNOTATION_KEYS),
        faults=pl.concat([image_faults, annotation_faults]),
        framed=framed,
    )


def _take_lists(path: Path, content: object) -> dict[str, list[Any]]:
    if not isinstance(content, dict):
        expected = "expected a COCO object with images, annotations and categories"
        raise DatasetError(f"{path}: holds {shorten(content)}, {expected}")
    keys = ("images", "annotations", "categories")
    problems = [
        f"{key!r} is missing"
        if key not in content
        else f"{key!r} is {shorten(content[key])}, expected a list"
        for key in keys
        if not isinstance(content.get(key), list)
    ]
    if problems:
        raise DatasetError.from_problems(str(path), problems)
    return {key: content[key] for key in keys}


def _read_categories(path: Path, values: list[Any]) -> pl.DataFrame:
    """Read the categories; an unusable one is an error, since its objects cannot be named."""
    records = Records.from_list(values)
    frame = pl.DataFrame(
        {"category_id": records.ids("id"), "category": records.texts("name")},
        schema={"category_id": pl.String(), "category": pl.String()},
    ).with_row_index("row")
    first: dict[str, int] = {}
    for row, category_id in enumerate(frame["category_id"].to_list()):
        if category_id is not None and first.setdefault(category_id, row) != row:
            records.note(row, f"id {category_id} is also that of categories[{first[category_id]}]")
    if records.faults:
        problems = [f"categories[{row}]: {fault}" for row, fault in sorted(records.faults.items())]
        raise DatasetError.from_problems(str(path), problems)
    return frame


def _read_images(values: list[Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    records = Records.from_list(values)
    frame = pl.DataFrame(
        {
            "image_id": records.ids("id"),
            "file_name": records.texts("file_name"),
            "stated_width": _sides(records, "width"),
            "stated_height": _sides(records, "height"),
        },
        schema=_IMAGES,
    ).with_row_index("row")
    _note_repeats(records, frame["image_id"], "images")
    return _split_faults(records, frame, "images")


def _sides(records: Records, key: str) -> pl.Series:
    """Return the stated width or height in whole pixels; null where missing, 0 or absurd."""
    values = records.numbers(key, default=0)  # (n,)
    usable = np.isfinite(values) & (values >= 1) & (values <= _LARGEST_SIDE)
    whole = pl.Series(np.where(usable, values, 0).astype(np.int64))
    return whole.replace(0, None)


def _read_annotations(values: list[Any]) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the usable annotations, the faults, and how many got the box of a segmentation."""
    records = Records.from_list(values)
    framed = _frame_objects(records)
    image_ids = records.ids("image_id")
    category_ids = records.ids("category_id")
    boxes = records.boxes("bbox")  # (n, 4)
    for index in np.flatnonzero((boxes[:, 2:] <= 0).any(axis=1)).tolist():
        width, height = boxes[index, 2:]
        records.note(index, f"the box is {width:g} x {height:g} pixels, expected sides above 0")
    for index in np.flatnonzero((np.abs(boxes) > _LARGEST_SIDE).any(axis=1)).tolist():
        records.note(index, f"bbox is {shorten(boxes[index].tolist())}, beyond a million pixels")
    frame = pl.DataFrame(
        {
            "annotation_id": records.ids("id"),
            "image_id": image_ids,
            "category_id": category_ids,
            **{name: boxes[:, index] for index, name in enumerate("xywh")},
            "crowd": records.flags("iscrowd"),
            "ignore": records.flags("ignore"),
        },
        schema=_ANNOTATIONS,
    ).with_row_index("row")
    _note_repeats(records, frame["annotation_id"], "annotations")
    return *_split_faults(records, frame, "annotations"), framed


def _frame_objects(records: Records) -> int:
    """Give each record without a box that of its segmentation; return how many got one."""
    boxes = {
        index: box
        for index, record in enumerate(records.items)
        if not record.get("bbox") and (box := frame_outline(record.get("segmentation")))
    }
    if boxes:
        records.items = [
            {**record, "bbox": boxes[index]} if index in boxes else record
            for index, record in enumerate(records.items)
        ]
    return len(boxes)


def _note_repeats(records: Records, ids: pl.Series, name: str) -> None:
    """Note every id that an earlier record has: the first record keeps it."""
    repeated = ids.is_not_null() & ~ids.is_first_distinct()
    if not repeated.any():
        return
    first: dict[str, int] = {}
    wanted = set(ids.filter(repeated).to_list())
    for row, value in enumerate(ids.to_list()):
        if value in wanted and first.setdefault(value, row) != row:
            records.note(row, f"id {value} is also that of {name}[{first[value]}]")


def _split_faults(
    records: Records, frame: pl.DataFrame, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = sorted(records.faults)
    faults = pl.DataFrame(
        {
            "row": pl.Series(rows, dtype=pl.UInt32()),
            "list": pl.Series([name] * len(rows), dtype=pl.String()),
            "image_id": frame["image_id"].gather(rows),
            "reason": pl.Series([records.faults[row] for row in rows], dtype=pl.String()),
        }
    )
    if not rows:
        return frame, faults
    return frame.filter(~pl.col("row").is_in(rows)), faults
