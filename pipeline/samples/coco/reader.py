"""COCO datasets: whole images, or the objects in them, from one or several annotation files."""

import posixpath
from dataclasses import dataclass, field

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.samples.categories import name_categories, take_originals
from pipeline.samples.coco.annotation_file import CocoFile, read_coco_file
from pipeline.samples.folder import check_folders, folder_prefix
from pipeline.samples.objects import sort_objects
from pipeline.samples.paths import PathRefusedError, clean_path
from pipeline.samples.sample_set import (
    CATEGORIES,
    IMAGES,
    OBJECT_KEYS,
    Listing,
    make_rejects,
    reject_rows,
)
from pipeline.tables import OBJECTS, SOURCE_IMAGES


@dataclass
class _Gathered:
    """What is gathered over the annotation files, in their order."""

    images: list[pl.DataFrame] = field(default_factory=list)
    objects: list[pl.DataFrame] = field(default_factory=list)
    categories: list[pl.DataFrame] = field(default_factory=list)
    rejects: list[pl.DataFrame] = field(default_factory=list)
    image_extra: list[pl.DataFrame] = field(default_factory=list)
    object_extra: list[pl.DataFrame] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)  # path -> annotation file
    framed: int = 0  # objects whose box is that of their segmentation


def list_coco(dataset: Dataset) -> Listing:
    """List the images and objects of COCO annotation files, each with its folder of images.

    Records that cannot be used are rejects, an image named twice counts the first time. An object
    with a segmentation but no box gets the box around that. Objects of
    every category are kept, as are crowds and ignored ones, with their flags: what is scored is
    decided later. Raises DatasetError if a file or folder is missing or is no COCO file, or if a
    category that is asked for or renamed is in none of the files.
    """
    check_folders(dataset)
    gathered = _Gathered()
    for source, file in enumerate(dataset.annotations):
        prefix = folder_prefix(dataset.images[source], dataset.root)
        _gather(read_coco_file(file), source, prefix, gathered)
    objects, categories = name_categories(
        dataset, pl.concat(gathered.objects), pl.concat(gathered.categories)
    )
    images = pl.concat(gathered.images)
    object_extra = pl.concat(gathered.object_extra, how="diagonal")
    listed = images.with_columns(
        category=pl.lit(None, dtype=pl.String), split=pl.lit(dataset.split, dtype=pl.String)
    )
    return Listing(
        images=listed.select(list(IMAGES)).sort("path"),
        rejects=pl.concat(gathered.rejects),
        counts={"boxes_from_segmentation": gathered.framed},
        objects=sort_objects(objects.select(list(OBJECTS))),
        source_images=images.select(list(SOURCE_IMAGES)).sort("source", "path"),
        categories=categories.select(list(CATEGORIES)),
        extra=pl.concat(gathered.image_extra, how="diagonal"),
        object_extra=take_originals(objects).join(
            object_extra.drop("original_category", strict=False), on=list(OBJECT_KEYS), how="left"
        ),
    )


def _gather(file: CocoFile, source: int, prefix: str, gathered: _Gathered) -> None:
    name = file.path.name
    paths, refused = _clean_names(file, prefix, gathered)
    images = file.images.with_columns(path=paths, source=pl.lit(source, dtype=pl.Int64))
    images = images.filter(pl.col("path").is_not_null())
    gathered.images.append(images.drop("row", "file_name"))
    gathered.framed += file.framed
    gathered.categories.append(
        file.categories.select(
            pl.lit(source, dtype=pl.Int64).alias("source"),
            "category_id",
            "category",
            pl.lit(True).alias("asked"),  # noqa: FBT003 - a literal of an expression
        )
    )
    known = file.annotations.join(
        images.select("image_id", "path"), on="image_id", how="left"
    ).join(file.categories.select("category_id", "category"), on="category_id", how="left")
    usable = pl.col("path").is_not_null() & pl.col("category").is_not_null()
    objects = known.filter(usable).with_columns(source=pl.lit(source, dtype=pl.Int64))
    gathered.objects.append(objects.select(list(OBJECTS)))
    gathered.image_extra.append(_name_rows(images, file.image_extra, ["path"]))
    gathered.object_extra.append(_name_rows(objects, file.annotation_extra, list(OBJECT_KEYS)))
    gathered.rejects += [
        make_rejects(refused),
        _reject_faults(file, images, name),
        _reject_unknown(known, name=name),
    ]


def _name_rows(records: pl.DataFrame, extra: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return the further keys of usable records under the names of their samples."""
    return records.select("row", *keys).join(extra, on="row", how="inner").drop("row")


def _clean_names(
    file: CocoFile, prefix: str, gathered: _Gathered
) -> tuple[pl.Series, list[tuple[str, str]]]:
    """Return the path of each image, null where it is refused or given before, and the refusals."""
    paths: list[str | None] = []
    refused: list[tuple[str, str]] = []
    rows = file.images.select("row", "file_name").iter_rows()
    for row, written in rows:
        where = f"{file.path.name} images[{row}]"
        try:
            path = posixpath.join(prefix, clean_path(written))
        except PathRefusedError as refusal:
            refused.append((written, f"{where}: {refusal}"))
            paths.append(None)
            continue
        owner = gathered.owners.get(path)
        if owner is not None:
            refused.append((path, f"{where}: the image is also in {owner}, which counts"))
            paths.append(None)
            continue
        gathered.owners[path] = where
        paths.append(path)
    return pl.Series("path", paths, dtype=pl.String), refused


def _reject_faults(file: CocoFile, images: pl.DataFrame, name: str) -> pl.DataFrame:
    """Make rejects of records that cannot be used; the path is the image's where it is known."""
    named = file.faults.join(images.select("image_id", "path"), on="image_id", how="left")
    where = pl.concat_str(pl.lit(f"{name} "), "list", pl.lit("["), "row", pl.lit("]: "), "reason")
    return reject_rows(named.select(pl.coalesce("path", pl.lit(name)).alias("path"), where))


def _reject_unknown(known: pl.DataFrame, *, name: str) -> pl.DataFrame:
    """Make rejects of annotations whose image or category is not among those of the file."""
    image = pl.concat_str(pl.lit("image_id "), "image_id", pl.lit(" names no usable image"))
    category = pl.concat_str(pl.lit("category_id "), "category_id", pl.lit(" is no category"))
    reason = pl.when(pl.col("path").is_null()).then(image).otherwise(category)
    unusable = known.filter(pl.col("path").is_null() | pl.col("category").is_null())
    where = pl.concat_str(pl.lit(f"{name} annotations["), "row", pl.lit("]: "), reason)
    return reject_rows(unusable.select(pl.coalesce("path", pl.lit(name)).alias("path"), where))
