"""The worst samples of each finding, as thumbnails."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from flows.stages.reporting.pictures.album import FindFaces, list_heads, load_face_detector
from flows.stages.reporting.pictures.scene_boxes import read_box
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
    viewer = _Viewer.of(samples, root, thumbnails, named=named)
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
        gallery[rank] = tuple(viewer.show(row) for row in shown.iter_rows(named=True))
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
    viewer = _Viewer.of(samples, root, thumbnails, named=named)
    errors = pl.DataFrame({"sample_id": table.sample_ids, "error": table.errors})
    rows = errors.join(samples, on="sample_id", how="left").with_columns(
        true=pl.lit(None, pl.String), predicted=pl.lit(None, pl.String),
        probability=pl.lit(None, pl.Float64),
    )  # fmt: skip

    def show(ids: list[str]) -> tuple[Thumbnail, ...]:
        asked = pl.DataFrame({"sample_id": ids}, schema={"sample_id": pl.String})
        shown = asked.join(rows, on="sample_id", how="inner", maintain_order="left")
        return tuple(viewer.show(row) for row in shown.iter_rows(named=True))

    return {
        rank: (show(typical), show(failing))
        for rank, typical, failing in regions.select("rank", "typical", "failing").iter_rows()
    }


def _list_classes(matches: pl.DataFrame | None) -> pl.DataFrame:
    """Return sample_id, true, predicted and probability; without rows of other systems."""
    if matches is None or not set(CLASS_MATCHES) <= set(matches.columns):
        matches = empty(CLASS_MATCHES)
    return matches.select(list(CLASS_MATCHES)).rename({"score": "probability"})


@dataclass(frozen=True, eq=False)
class _Viewer:
    """What may be seen of samples. root: None without pictures. find_faces: to blur them."""

    samples: pl.DataFrame
    root: Path | None
    find_faces: FindFaces | None
    named: bool

    @classmethod
    def of(
        cls, samples: pl.DataFrame, root: Path, thumbnails: Thumbnails, *, named: bool
    ) -> "_Viewer":
        find_faces = load_face_detector() if thumbnails == "blurred-faces" else None
        return cls(samples, None if thumbnails == "none" else root, find_faces, named)

    def show(self, row: Mapping[str, Any]) -> Thumbnail:
        box = None if row["x"] is None else read_box(row)
        image = b""
        if self.root is not None:
            with contextlib.suppress(ImageRejectedError):
                whole = self._blur(load_image(self.root / row["path"]), row["path"])
                image = make_thumbnail(whole, SIDE, box=box)
        classes = {name: row[name] for name in ("true", "predicted", "probability")}
        caption = row["path"] if self.named else row["sample_id"][:8]
        return Thumbnail(image=image, caption=caption, error=row["error"], **classes)

    def _blur(self, image: Image.Image, path: str) -> Image.Image:
        """Blur the faces of an image and the heads of all people known in it, where asked."""
        if self.find_faces is None:
            return image
        beside = self.samples.filter((pl.col("path") == path) & pl.col("x").is_not_null())
        known = [(row["category"] or "", read_box(row)) for row in beside.to_dicts()]
        return blur_boxes(image, [*self.find_faces(image), *list_heads(known)])
