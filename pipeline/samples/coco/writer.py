"""COCO annotation files, written from the true boxes of a sample set."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.exceptions import DatasetError
from pipeline.files.whole_files import replace_file
from pipeline.samples.sample_set import SampleSet
from pipeline.samples.written import Written, list_names, take_truth
from pipeline.tables import BOX


def write_coco(sample_set: SampleSet, target: Path) -> Written:
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
        with replace_file(target) as partial:
            partial.write_text(json.dumps(content), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written: {error.strerror or error}") from None
    return Written(images.height, objects.height, left_out)


def _keep_ids(frame: pl.DataFrame, names: Sequence[str], name: str, key: str) -> dict[str, int]:
    """Return the id of each name: the first one read where these are whole and unique, else 1..n.

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
