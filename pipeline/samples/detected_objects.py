"""Detections as objects: the samples of a dataset without true boxes."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.files.coco_results import read_coco_results
from pipeline.samples.categories import ORIGINAL, name_categories
from pipeline.samples.image_names import name_images
from pipeline.samples.objects import sort_objects
from pipeline.samples.sample_set import CATEGORIES, Listing, reject_rows
from pipeline.tables import BOX, OBJECTS, REJECTS, Schema, check, empty

IMAGE_DETECTIONS: Schema = {  # detections by the path of their image
    "path": pl.String(),  # of the image, relative to the dataset's root
    "category": pl.String(),
    **BOX,
    "score": pl.Float64(),
}
SCORE = "detection_score"  # a column of objects that are detections
_LARGEST_SIDE = 1e6  # pixels, as for true boxes


@dataclasses.dataclass(frozen=True)
class _ReadDetections:
    """Detections with their `annotation_id`, what was refused, and counts of what was left out."""

    detections: pl.DataFrame
    rejects: pl.DataFrame
    counts: Mapping[str, int]


def take_detections(
    listing: Listing, dataset: Dataset, detections: pl.DataFrame | None = None
) -> Listing:
    """Add the detections that [dataset.boxes] asks for to the listed images, as objects.

    detections: IMAGE_DETECTIONS of the detector that it names; else the file that it names is read.
    Detections below `min_score` or of other images are counted, those without a usable box are
    rejects. Raises DatasetError if the file is no list of COCO results, if there is none, or if an
    asked category is not among them.
    """
    if dataset.boxes is None:
        return listing
    if dataset.boxes.detections is not None:
        read = read_results(dataset.boxes.detections, listing.images["path"])
    elif detections is not None:
        read = _number(check(detections, IMAGE_DETECTIONS, table="detections"))
    elif dataset.sample == "image":
        return listing
    else:
        raise DatasetError(
            f"dataset.boxes.detector = {dataset.boxes.detector!r}: its detections are needed to "
            "list objects; detect first"
        )
    return add_detections(listing, read.detections, dataset, read.rejects, read.counts)


def add_detections(
    listing: Listing,
    detections: pl.DataFrame,
    dataset: Dataset,
    rejects: pl.DataFrame,
    counts: Mapping[str, int],
) -> Listing:
    """Make objects of IMAGE_DETECTIONS with `annotation_id` and add them to a listing of images."""
    here = detections.join(listing.images, on="path", how="semi", maintain_order="left")
    minimum = dataset.boxes.min_score if dataset.boxes else None
    faults = find_faults(here)
    usable = here.filter(~faults.is_not_null())
    kept = usable if minimum is None else usable.filter(pl.col("score") >= minimum)
    objects = kept.with_columns(
        pl.lit(0, dtype=pl.Int64).alias("source"),
        pl.col("path").alias("image_id"),
        pl.lit(False).alias("crowd"),  # noqa: FBT003 - a literal of an expression
        pl.lit(False).alias("ignore"),  # noqa: FBT003 - a literal of an expression
    )
    names = kept["category"].unique().sort()
    categories = pl.DataFrame(
        {"source": [0] * len(names), "category_id": names, "category": names, "asked": True},
        schema=dict(CATEGORIES),
    )
    objects, categories = name_categories(dataset, objects, categories)
    bad = here.with_columns(reason=faults).filter(pl.col("reason").is_not_null())
    where = pl.concat_str(pl.lit("detection "), "annotation_id", pl.lit(": "), "reason")
    return dataclasses.replace(
        listing,
        objects=sort_objects(objects.select(list(OBJECTS))),
        categories=categories,
        object_extra=objects.select(
            "path", "annotation_id", ORIGINAL, pl.col("score").cast(pl.String).alias(SCORE)
        ),
        rejects=pl.concat([listing.rejects, rejects, reject_rows(bad.select("path", where))]),
        counts={
            **listing.counts,
            **counts,
            "detections_of_other_images": counts.get("detections_of_other_images", 0)
            + detections.height
            - here.height,
            "detections_below_min_score": usable.height - kept.height,
        },
    )


def read_results(file: Path, paths: pl.Series) -> _ReadDetections:
    """Read a file of COCO results about images named by path, file name or stem.

    paths: of the images. A detection's category is its `category_name`, else its `category_id` as
    text; its annotation id is its position in the file, from 0. Records that cannot be used are
    rejects. Raises DatasetError if the file is no list.
    """
    read = read_coco_results(file, error=DatasetError, by_name=True)
    frame = read.results.rename({"category_id": "category"}).with_row_index("row")
    frame = frame.with_columns(annotation_id=pl.col("row").cast(pl.String))
    named = frame.join(name_images(paths), on="image_id", how="left", maintain_order="left")
    rows = sorted(read.faults)
    bad = named[rows].with_columns(
        pl.Series("reason", [read.faults[row] for row in rows], dtype=pl.String)
    )
    where = pl.concat_str(pl.lit(f"{file.name} ["), "row", pl.lit("]: "), "reason")
    rejects = reject_rows(bad.select(pl.coalesce("path", pl.lit(file.name)), where))
    good = named.filter(~pl.col("row").is_in(rows)) if rows else named
    known = good.drop_nulls("path")
    if known.is_empty() and not good.is_empty():
        raise DatasetError(
            f"{file}: none of the {good.height} detections is of an image of the dataset; their "
            f"image_id (e.g. {good['image_id'][0]!r}) should be a path, a file name or its stem"
        )
    counts = {"detections_of_other_images": good.height - known.height}
    return _ReadDetections(known.select([*IMAGE_DETECTIONS, "annotation_id"]), rejects, counts)


def _number(detections: pl.DataFrame) -> _ReadDetections:
    """Give each detection of an image its rank by score as id, whatever the order of the rows."""
    ordered = detections.sort(
        "path", "score", "x", "y", "w", "h", "category",
        descending=[False, True, False, False, False, False, False],
        nulls_last=True,
    )  # fmt: skip
    rank = pl.int_range(pl.len()).over("path").cast(pl.String)
    numbered = ordered.with_columns(annotation_id=rank)
    return _ReadDetections(numbered, empty(REJECTS), {})


def find_faults(detections: pl.DataFrame) -> pl.Series:
    """Return (m,) why each detection cannot be used, null where it can.

    detections: category, x, y, w, h, score.
    """
    numbers = [pl.col(name) for name in (*BOX, "score")]
    sides = pl.concat_str("w", pl.lit(" x "), "h")
    size = pl.concat_str(pl.lit("the box is "), sides, pl.lit(" pixels, expected sides above 0"))
    finite = pl.all_horizontal(number.is_finite().fill_null(value=False) for number in numbers)
    near = pl.all_horizontal(pl.col(name).abs() <= _LARGEST_SIDE for name in BOX)
    reason = (
        pl.when(pl.col("category").is_null())
        .then(pl.lit("it has no category"))
        .when(~finite)
        .then(pl.lit("box or score is not made of finite numbers"))
        .when((pl.col("w") <= 0) | (pl.col("h") <= 0))
        .then(size)
        .when(~near)
        .then(pl.lit("the box lies beyond a million pixels"))
    )
    return detections.select(reason.alias("reason")).to_series()
