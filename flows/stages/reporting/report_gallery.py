"""The worst samples of each finding, as thumbnails."""

import contextlib
from pathlib import Path
from typing import Any

import polars as pl

from flows.stages.reporting.album import FindFaces, list_heads, load_face_detector
from flows.stages.reporting.scene_boxes import read_box
from pipeline.images.crop import make_thumbnail
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.images.pictures import blur_boxes
from pipeline.tables import CLASS_MATCHES, empty
from pipeline.workspace.search_table import SearchTable
from reports.models import Thumbnail
from reports.site_models import Thumbnails

SHOWN = 8  # samples of a finding
SIDE = 144  # pixels


def pick_worst(
    findings: pl.DataFrame,
    table: SearchTable,
    samples: pl.DataFrame,
    root: Path,
    *,
    matches: pl.DataFrame | None = None,
    thumbnails: Thumbnails = "full",
    named: bool = True,
) -> dict[int, tuple[Thumbnail, ...]]:
    """Return for the rank of each finding its samples with the largest errors.

    matches: of the system; CLASS_MATCHES name the true and the predicted class of a sample. Ties go
    to the smaller sample_id. An image that is gone since is shown by its name alone, as are all
    where thumbnails is "none"; named: whether by the name of its file. Raises ConfigError where
    faces are to be blurred and no detector of faces is installed.
    """
    find_faces = load_face_detector() if thumbnails == "blurred-faces" else None
    folder = None if thumbnails == "none" else root
    rows = pl.DataFrame({"sample_id": table.sample_ids, "error": table.errors})
    classes = _list_classes(matches)
    gallery = {}
    for rank, predicates in findings.select("rank", "predicates").iter_rows():
        inside = rows.filter(table.select_slice(predicates))
        worst = inside.sort(["error", "sample_id"], descending=[True, False])
        shown = (
            worst.head(SHOWN)
            .select("sample_id", "error")
            .join(samples, on="sample_id", how="left", maintain_order="left")
            .join(classes, on="sample_id", how="left", maintain_order="left")
        )
        gallery[rank] = tuple(
            _show(row, folder, find_faces, named=named) for row in shown.iter_rows(named=True)
        )
    return gallery


def picture_regions(
    regions: pl.DataFrame,
    table: SearchTable,
    samples: pl.DataFrame,
    root: Path,
    *,
    thumbnails: Thumbnails = "full",
    named: bool = True,
) -> dict[int, tuple[tuple[Thumbnail, ...], tuple[Thumbnail, ...]]]:
    """Return for the rank of each region its most typical and its failing samples.

    regions: REGIONS of one system. thumbnails, named: as in `pick_worst`.
    """
    find_faces = load_face_detector() if thumbnails == "blurred-faces" else None
    folder = None if thumbnails == "none" else root
    errors = pl.DataFrame({"sample_id": table.sample_ids, "error": table.errors})
    rows = errors.join(samples, on="sample_id", how="left").with_columns(
        true=pl.lit(None, pl.String), predicted=pl.lit(None, pl.String),
        probability=pl.lit(None, pl.Float64),
    )  # fmt: skip

    def show(ids: list[str]) -> tuple[Thumbnail, ...]:
        asked = pl.DataFrame({"sample_id": ids}, schema={"sample_id": pl.String})
        shown = asked.join(rows, on="sample_id", how="inner", maintain_order="left")
        return tuple(
            _show(row, folder, find_faces, named=named) for row in shown.iter_rows(named=True)
        )

    return {
        rank: (show(typical), show(failing))
        for rank, typical, failing in regions.select("rank", "typical", "failing").iter_rows()
    }


def _list_classes(matches: pl.DataFrame | None) -> pl.DataFrame:
    """Return sample_id, true, predicted and probability; without rows of other systems."""
    if matches is None or not set(CLASS_MATCHES) <= set(matches.columns):
        matches = empty(CLASS_MATCHES)
    return matches.select(list(CLASS_MATCHES)).rename({"score": "probability"})


def _show(
    row: dict[str, Any], root: Path | None, find_faces: FindFaces | None, *, named: bool
) -> Thumbnail:
    box = None if row["x"] is None else read_box(row)
    image = b""
    if root is not None:
        with contextlib.suppress(ImageRejectedError):
            whole = load_image(root / row["path"])
            if find_faces is not None:
                own = [] if box is None else [(row["category"] or "", box)]
                whole = blur_boxes(whole, [*find_faces(whole), *list_heads(own)])
            image = make_thumbnail(whole, SIDE, box=box)
    classes = {name: row[name] for name in ("true", "predicted", "probability")}
    caption = row["path"] if named else row["sample_id"][:8]
    return Thumbnail(image=image, caption=caption, error=row["error"], **classes)
