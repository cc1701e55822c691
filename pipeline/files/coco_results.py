"""Files of COCO results: a list of detections, each with image_id, category_id, bbox and score."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.exceptions import WeakspotError
from pipeline.files.gc_pause import pause_gc
from pipeline.files.json_file import Records, read_json, shorten
from pipeline.tables import BOX, Schema

COCO_RESULTS: Schema = {
    "image_id": pl.String(),
    "category_id": pl.String(),
    **BOX,
    "score": pl.Float64(),
}


@dataclass(frozen=True)
class CocoResults:
    """results: COCO_RESULTS, one row a record, in file order. faults: position from 0 -> reason.

    Where a record has a fault, its row has nulls or NaN.
    """

    results: pl.DataFrame
    faults: Mapping[int, str]


@pause_gc()
def read_coco_results(
    path: Path, *, error: type[WeakspotError], by_name: bool = False
) -> CocoResults:
    """Read a file of COCO results.

    by_name: take a record's `category_name` as its category_id, where it has one. Raises `error`
    if the file cannot be read or holds no list.
    """
    content = read_json(path, error=error)
    if not isinstance(content, list):
        expected = "expected a list of COCO results with image_id, category_id, bbox and score"
        raise error(f"{path}: holds {shorten(content)}, {expected}")
    records = Records.from_list(content)
    boxes = records.boxes("bbox")  # (m, 4)
    frame = pl.DataFrame(
        {
            "image_id": records.ids("image_id"),
            "category_id": _read_names(records) if by_name else records.ids("category_id"),
            **{name: boxes[:, index] for index, name in enumerate("xywh")},
            "score": records.numbers("score"),
        },
        schema=dict(COCO_RESULTS),
    )
    return CocoResults(frame, records.faults)


def _read_names(records: Records) -> list[str | None]:
    """Return `category_name` where a record has it, else `category_id`."""
    key = "category_name"
    if not any(key in record for record in records.items):
        return records.ids("category_id")
    chosen = [
        {"category": record.get(key if key in record else "category_id")}
        for record in records.items
    ]
    return Records(chosen, faults=records.faults).ids("category")


def write_coco_results(detections: pl.DataFrame) -> str:
    """Return the JSON of COCO results, best first.

    detections: image_id, category_id (text), category, x, y, w, h, score. Ids of digits alone are
    written as numbers, as COCO's own are. A `category_name` says what each id means.
    """
    ordered = detections.sort(
        "score", "image_id", "category", "x", "y", "w", "h",
        descending=[True, False, False, False, False, False, False],
    )  # fmt: skip
    rows = [
        {
            "image_id": _to_id(row["image_id"]),
            "category_id": _to_id(row["category_id"]),
            "category_name": row["category"],
            "bbox": [round(row[side], 2) for side in "xywh"],
            "score": round(row["score"], 6),
        }
        for row in ordered.iter_rows(named=True)
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n" if rows else "[]\n"


def _to_id(text: str) -> int | str:
    """Return a number where the text is one as JSON would write it."""
    return int(text) if text.isdecimal() and str(int(text)) == text else text
