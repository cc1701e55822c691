"""The worst samples of each finding, as thumbnails."""

from pathlib import Path

import polars as pl

from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.workspace.search_table import SearchTable
from reports.models import Thumbnail

SHOWN = 8  # samples of a finding
SIDE = 144  # pixels


def pick_worst(
    findings: pl.DataFrame, table: SearchTable, samples: pl.DataFrame, root: Path
) -> dict[int, tuple[Thumbnail, ...]]:
    """Return for the rank of each finding its samples with the largest errors.

    Ties go to the smaller sample_id. An image that is gone since is shown by its name alone.
    """
    rows = pl.DataFrame({"sample_id": table.sample_ids, "error": table.errors})
    gallery = {}
    for rank, predicates in findings.select("rank", "predicates").iter_rows():
        inside = rows.filter(table.select_slice(predicates))
        worst = inside.sort(["error", "sample_id"], descending=[True, False])
        shown = (
            worst.head(SHOWN)
            .select("sample_id", "error")
            .join(samples, on="sample_id", how="left", maintain_order="left")
        )
        gallery[rank] = tuple(_show(row, root) for row in shown.iter_rows(named=True))
    return gallery


def _show(row: dict[str, object], root: Path) -> Thumbnail:
    path = str(row["path"])
    box = None if row["x"] is None else (row["x"], row["y"], row["w"], row["h"])
    try:
        image = make_thumbnail(load_image(root / path), SIDE, box=box)  # type: ignore[arg-type]  # a row of the samples table: its box is four floats
    except ImageRejectedError:
        image = b""
    return Thumbnail(image=image, caption=path, error=float(str(row["error"])))
