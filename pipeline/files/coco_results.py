"""Files of COCO results: a list of detections, each with image_id, category_id, bbox and score."""

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
