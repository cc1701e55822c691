"""Files of detections: COCO results."""

from pathlib import Path

import numpy as np
import polars as pl

from pipeline.exceptions import PredictionsError
from pipeline.files.gc_pause import pause_gc
from pipeline.files.json_file import Records, read_json, shorten
from pipeline.files.table_file import SHOWN_ROWS
from pipeline.tables import BOX

DETECTIONS = {
    "source": pl.Int64(),
    "image_id": pl.String(),
    "category_id": pl.String(),
    **BOX,
    "score": pl.Float64(),
}


@pause_gc()
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
        schema=DETECTIONS,
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
