"""Datasets as files of annotations: the true boxes of a sample set in COCO, YOLO or VOC form."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.exceptions import DatasetError
from pipeline.files.whole_files import replace_file
from pipeline.samples.sample_set import SampleSet
from pipeline.samples.voc.writer import write_voc_files
from pipeline.samples.yolo.writer import write_yolo_files
from pipeline.tables import BOX


@dataclass(frozen=True)
class Written:
    """How many images and objects were written, and how many objects were left out and why."""

    images: int
    objects: int
    left_out: dict[str, int] = field(default_factory=dict)


def write_coco(sample_set: SampleSet, file: Path) -> Written:
    """Write a COCO annotation file of the asked categories; crowds and ignored ones keep flags.

    Ids stay as they were read where they are whole numbers that name one image, category or
    object each; else they are numbered from 1. Raises DatasetError if the file cannot be written.
    """
    images, objects, left_out = take_truth(sample_set)
    image_ids = _keep_ids(sample_set.source_images, images["path"].to_list(), "path", "image_id")
    names = list_names(sample_set)
    category_ids = _keep_ids(sample_set.categories, names, "category", "category_id")
    numbers = objects["annotation_id"].cast(pl.Int64, strict=False)
    kept = numbers.null_count() == 0 and numbers.is_unique().all()
    ids = numbers.to_list() if kept else list(range(1, objects.height + 1))
    rows = objects.select("path", "category", *BOX, "crowd", "ignore").iter_rows()
    content = {
        "images": [
            {"id": image_ids[path], "file_name": path, "width": width, "height": height}
            for path, width, height in images.select("path", "width", "height").iter_rows()
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image_ids[path],
                "category_id": category_ids[category],
                "bbox": [x, y, w, h],
                "area": w * h,
                "iscrowd": int(crowd),
                "ignore": int(ignore),
            }
            for number, (path, category, x, y, w, h, crowd, ignore) in zip(ids, rows, strict=True)
        ],
        "categories": [{"id": category_ids[name], "name": name} for name in names],
    }
    try:
        with replace_file(file) as partial:
            partial.write_text(json.dumps(content), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{file}: cannot be written: {error.strerror or error}") from None
    return Written(images.height, objects.height, left_out)


def write_yolo(sample_set: SampleSet, folder: Path, *, root: Path) -> Written:
    """Write data.yaml, labels and, as hard links or copies, images of the asked categories.

    root: the folder that the paths of the sample set are relative to. YOLO labels hold no flags:
    crowds and ignored objects are left out and counted; boxes are cut off at the border of their
    image. Images without a split, or of one that is not like train, val or test, go to train.
    Raises DatasetError if two images would share a label file or a file cannot be written.
    """
    images, objects, left_out = take_truth(sample_set)
    plain = objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    left_out["crowds_and_ignored"] = objects.height - plain.height
    try:
        write_yolo_files(images, plain, list_names(sample_set), folder, root=root)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return Written(images.height, plain.height, left_out)


def write_voc(sample_set: SampleSet, folder: Path) -> Written:
    """Write Annotations/*.xml and, where there are splits, ImageSets/Main/*.txt.

    Corners count from 1 and belong to the box. Pascal VOC knows no crowds: they and ignored objects
    are `difficult`. Raises DatasetError if two images would share an annotation file, a name cannot
    stand in XML, or a file cannot be written.
    """
    images, objects, left_out = take_truth(sample_set)
    try:
        write_voc_files(images, objects, folder)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return Written(images.height, objects.height, left_out)


def take_truth(sample_set: SampleSet) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Return the images, the objects in them that are of asked categories, and counts of others."""
    samples = sample_set.samples
    images = samples.filter(pl.col("parent_id").is_null()).select(
        "path", "width", "height", "split"
    )
    asked = sample_set.categories.filter(pl.col("asked")).select("source", "category").unique()
    objects = sample_set.objects
    own = objects.join(asked, on=["source", "category"], how="semi", maintain_order="left")
    here = own.join(images, on="path", how="semi", maintain_order="left")
    left_out = {
        "other_category": objects.height - own.height,
        "of_images_left_out": own.height - here.height,
    }
    return images, here, left_out


def list_names(sample_set: SampleSet) -> list[str]:
    """Return the asked categories in the order of the files that name them."""
    asked = sample_set.categories.filter(pl.col("asked"))
    return asked["category"].unique(maintain_order=True).to_list()


def _keep_ids(frame: pl.DataFrame, names: Sequence[str], name: str, key: str) -> dict[str, int]:
    """Return the id of each name: its first one as read where these can be told apart, else 1..n.

    frame: with columns `name` and `key`. Images that have several names have no id of their own.
    """
    own = frame.filter(pl.col(name).is_in(list(names)))
    numbers = own.with_columns(pl.col(key).cast(pl.Int64, strict=False).alias("number"))
    alone = name != "path" or own[name].is_unique().all()
    first = numbers.unique(name, keep="first", maintain_order=True)
    complete = first.height == len(names) and first["number"].null_count() == 0
    if alone and complete and first["number"].is_unique().all():
        return dict(first.select(name, "number").iter_rows())
    return {one: number for number, one in enumerate(names, start=1)}
