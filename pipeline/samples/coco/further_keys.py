"""What the records of a COCO file say beyond the keys of COCO, as columns for given attributes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

# Keys that are read elsewhere, or that say nothing of what is seen.
IMAGE_KEYS = frozenset(
    {"id", "file_name", "width", "height", "license", "flickr_url", "coco_url", "date_captured"}
)
ANNOTATION_KEYS = frozenset(
    {"id", "image_id", "category_id", "bbox", "area", "segmentation", "keypoints", "iscrowd",
     "ignore"}
)  # fmt: skip
_NESTED = "attributes"  # where CVAT and others write the attributes of a box
_RESERVED = frozenset({"row", "path", "sample_id", "annotation_id", "category", "split"})


def read_further_keys(values: Sequence[Any], known: frozenset[str]) -> pl.DataFrame:
    """Return the further keys of records as columns of text, with `row`, from 0.

    known: keys to leave out. Texts, numbers, true and false are taken, also those inside
    "attributes"; lists and other objects are no values. Records without any have no row.
    """
    rows = []
    for row, record in enumerate(values):
        if isinstance(record, dict) and not known >= record.keys():
            cells = dict(_list_cells(record, known))
            if cells:
                rows.append({"row": row, **cells})
    names = list(dict.fromkeys(name for row in rows for name in row if name != "row"))
    schema = {"row": pl.UInt32(), **dict.fromkeys(names, pl.String())}
    return pl.DataFrame(rows, schema=schema)


def _list_cells(record: Mapping[str, Any], known: Collection[str]) -> list[tuple[str, str]]:
    nested = record.get(_NESTED)
    pairs = list(record.items()) + (list(nested.items()) if isinstance(nested, dict) else [])
    return [
        (name, text)
        for name, value in pairs
        if name not in known and name not in _RESERVED and (text := _write_cell(value)) is not None
    ]


def _write_cell(value: object) -> str | None:
    """Return a value as text, null where it is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value.isprintable() else None
    return str(value) if isinstance(value, int | float) else None
