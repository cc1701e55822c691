"""Columns for given attributes in datasets with boxes: keys of annotations, a table beside them."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.coco_folder import BOX, dataset, read
from tests.samples.datasets import annotation, coco
from tests.samples.voc_folder import read_voc
from tests.samples.yolo_folder import read_yolo

CONTENT = coco({1: "a.png", 2: "b.png"}, [annotation(5, 1, BOX), annotation(6, 2, BOX)])


def by_annotation(found: SampleSet, column: str) -> dict[str | None, str | None]:
    joined = found.samples.join(found.columns, on="sample_id")
    return dict(joined.select("annotation_id", column).iter_rows())


def read_with(folder: Path, table: str, *, key: str | None = None) -> SampleSet:
    file = folder / "more.csv"
    file.write_text(table)
    columns = str(file) if key is None else {"file": str(file), "key": key}
    return read(folder, CONTENT, sample="object", columns=columns)


def test_further_keys_of_annotations_and_images_are_columns(tmp_path: Path) -> None:
    content = coco(
        {1: "a.png", 2: "b.png"},
        [
            annotation(5, 1, BOX, race="pale", pose=[1], attributes={"hat": True, "age": 31}),
            annotation(6, 2, BOX, race=None, area=7, num_keypoints=17),
        ],
    )
    content["images"][0] |= {"weather": "fog", "license": 3}
    found = read(tmp_path, content, sample="object")
    assert by_annotation(found, "race") == {None: None, "5": "pale", "6": None}
    assert by_annotation(found, "hat")["5"] == "true"
    assert by_annotation(found, "age")["5"] == "31"
    assert by_annotation(found, "num_keypoints")["6"] == "17"
    assert by_annotation(found, "weather") == {None: None, "5": "fog", "6": None}
    assert set(found.columns.columns) == {
        "sample_id", "category", "split", "weather", "race", "hat", "age", "num_keypoints",
        "original_category",
    }  # fmt: skip


def test_keys_named_like_our_columns_change_nothing(tmp_path: Path) -> None:
    content = coco({1: "a.png"}, [annotation(5, 1, BOX, category="x", path="y", sample_id="z")])
    found = read(tmp_path, content, sample="object")
    assert found.columns.columns == ["sample_id", "category", "split", "original_category"]


@pytest.mark.parametrize(
    "table",
    [
        "annotation_id,race\n5,pale\n6,dark\n",
        "path,annotation_id,race\na.png,5,pale\nb.png,6,dark\n",
        "race,path\npale,./a.png\ndark,b.png\n",
    ],
)
def test_a_table_names_objects_by_annotation_id_or_path(tmp_path: Path, table: str) -> None:
    found = read_with(tmp_path, table)
    own = by_annotation(found, "race")
    assert (own["5"], own["6"]) == ("pale", "dark")
    assert found.counts["rows_of_columns_without_sample"] == 0


def test_a_table_names_samples_by_their_id_and_rows_without_sample_are_counted(
    tmp_path: Path,
) -> None:
    first = read(tmp_path, CONTENT, sample="object").samples.filter(pl.col("annotation_id") == "5")
    found = read_with(tmp_path, f"sample_id,race\n{first['sample_id'][0]},pale\nnone,dark\n,x\n")
    assert by_annotation(found, "race") == {None: None, "5": "pale", "6": None}
    assert found.counts["rows_of_columns_without_sample"] == 2


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        ("name,race\n5,pale\n", "expected a column 'path', 'annotation_id' or 'sample_id'"),
        ("path,category\na.png,x\n", "has 'category' already; rename"),
        ("path\na.png\n", "needs columns beside path"),
        ("path,race\na.png,x\na.png,y\n", "path 'a.png' is in rows 1, 2 with different values"),
        ("path,race\nz.png,x\n", r"no row names a sample by path.*'z.png'.*'a.png'"),
        ("", "the file is empty"),
    ],
)
def test_tables_that_cannot_be_joined_are_refused(tmp_path: Path, table: str, shown: str) -> None:
    with pytest.raises(DatasetError, match=shown):
        read_with(tmp_path, table)


@pytest.mark.parametrize("names", [("a.png", "b.png"), ("./a.png", "b.png"), (5, 6)])
def test_a_key_of_its_own_names_samples_by_path_or_annotation_id(
    tmp_path: Path, names: tuple[object, object]
) -> None:
    table = f"annotation_id,race,file\n9,pale,{names[0]}\n9,dark,{names[1]}\n"
    own = by_annotation(read_with(tmp_path, table, key="file"), "race")
    assert (own["5"], own["6"]) == ("pale", "dark")
    with pytest.raises(DatasetError, match="no column 'flie'; did you mean 'file'"):
        read_with(tmp_path, table, key="flie")


def test_yolo_and_voc_have_columns_of_a_table_too(tmp_path: Path) -> None:
    table = tmp_path / "more.csv"
    table.write_text("path,weather\na.png,fog\nb.png,sun\n")
    options: dict[str, Any] = {"sample": "object", "columns": str(table)}
    for found in (read_yolo(tmp_path / "yolo", **options), read_voc(tmp_path / "voc", **options)):
        joined = found.samples.join(found.columns, on="sample_id")
        own = joined.filter(
            pl.col("parent_id").is_not_null(), pl.col("path").str.ends_with("a.png")
        )
        assert set(own["weather"]) == {"fog"}


def test_rows_that_repeat_count_once(tmp_path: Path) -> None:
    found = read_with(tmp_path, "path,race\na.png,x\na.png,x\nb.png,y\n")
    assert by_annotation(found, "race")["5"] == "x"


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    read(tmp_path, CONTENT)
    with pytest.raises(DatasetError, match="there is no such file"):
        read_samples(dataset(tmp_path, columns=str(tmp_path / "gone.csv")))
