"""Detections as a file of COCO results, which audits read as boxes or as a system."""

import json

import polars as pl


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
