"""A detector's files of COCO results, as the detections to score."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipeline.exceptions import PredictionsError
from pipeline.files.coco_results import COCO_RESULTS, read_coco_results
from pipeline.files.json_file import shorten
from pipeline.files.table_file import SHOWN_ROWS
from pipeline.tables import BOX, Schema

SCORED_DETECTIONS: Schema = {"source": pl.Int64(), **COCO_RESULTS}  # source: which file, from 0


def read_detections(path: Path, *, source: int) -> pl.DataFrame:
    """Read a file of COCO results as SCORED_DETECTIONS, in file order.

    Raises PredictionsError naming the position of every record that cannot be used.
    """
    read = read_coco_results(path, error=PredictionsError)
    faults = {**_find_negative_sides(read.results), **read.faults}
    if faults:
        raise PredictionsError(_list_faults(path, faults, of=read.results.height))
    sources = pl.lit(source, dtype=pl.Int64).alias("source")
    return read.results.select(sources, *COCO_RESULTS)


def _find_negative_sides(results: pl.DataFrame) -> dict[int, str]:
    negative = (results["w"] < 0) | (results["h"] < 0)
    boxes = results.with_row_index("row").filter(negative).select("row", *BOX)
    return {
        row: f"bbox is {shorten(list(box))}, a side is negative" for row, *box in boxes.iter_rows()
    }


def _list_faults(path: Path, faults: Mapping[int, str], *, of: int) -> str:
    lines = [f"[{row}]: {fault}" for row, fault in sorted(faults.items())]
    if len(faults) > SHOWN_ROWS:
        lines[SHOWN_ROWS:] = [f"and {len(faults) - SHOWN_ROWS} more"]
    count = f"{len(faults)} of {of} results cannot be used (counted from 0)"
    return "\n".join([f"{path}: {count}", *(f"  - {line}" for line in lines)])
