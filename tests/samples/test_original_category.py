"""The category of an object before it was renamed is a column that attributes can be given by."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.samples.sample_set import SampleSet
from tests.samples.coco_folder import read as read_coco
from tests.samples.datasets import annotation, coco
from tests.samples.voc_folder import read_voc
from tests.samples.yolo_folder import read_yolo

RENAMED = {"rename": {"person": "human"}, "sample": "object"}


def list_names(found: SampleSet) -> set[tuple[str, str]]:
    """Return category and original category of the objects."""
    objects = found.columns.filter(pl.col("original_category").is_not_null())
    return set(objects.select("category", "original_category").iter_rows())


def test_objects_of_coco_keep_the_category_as_it_was_written(tmp_path: Path) -> None:
    boxes = [annotation(1, 1, (2, 3, 20, 15)), annotation(2, 1, (2, 3, 9, 9), category_id=2)]
    found = read_coco(tmp_path, coco({1: "a.png"}, boxes), **RENAMED)
    assert list_names(found) == {("human", "person"), ("dog", "dog")}
    assert found.columns.filter(pl.col("original_category").is_null()).height == 1  # the image


@pytest.mark.parametrize("read", [read_yolo, read_voc])
def test_objects_of_other_formats_keep_it_too(tmp_path: Path, read: object) -> None:
    found = read(tmp_path, **RENAMED)  # type: ignore[operator]
    assert ("human", "person") in list_names(found)
