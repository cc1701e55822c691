"""CSV and Parquet tables of images as samples."""

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from tests.samples.datasets import write_images

NAMES = ["a.png", "b.png", "sub/c.png", "sub/d.png"]


def table(images: Path, file: Path, **more: object) -> Dataset:
    return Dataset.model_validate(
        {"format": "table", "images": str(images), "table": str(file), **more}
    )


def test_further_columns_are_kept_as_text(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", NAMES)
    file = tmp_path / "samples.csv"
    file.write_text("path,category,split,weather,lux\nb.png,dog,val,rain,1\na.png,cat,train,,02\n")
    found = read_samples(table(images, file))
    assert found.samples.select("path", "category", "split").rows() == [
        ("a.png", "cat", "train"),
        ("b.png", "dog", "val"),
    ]
    assert found.columns.drop("sample_id").rows() == [
        ("cat", "train", None, "02"),
        ("dog", "val", "rain", "1"),
    ]
    assert found.columns.columns == ["sample_id", "category", "split", "weather", "lux"]
    assert found.columns["sample_id"].equals(found.samples["sample_id"])


def test_parquet_numbers_read_as_a_person_would_write_them(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", NAMES)
    file = tmp_path / "samples.parquet"
    frame = pl.DataFrame({"path": ["a.png", "b.png"], "whole": [1.0, None], "part": [0.5, 2.0]})
    frame.with_columns(flag=pl.Series([True, False]), many=pl.Series([[1], [2]])).write_parquet(
        file
    )
    found = read_samples(table(images, file))
    assert found.columns.select("whole", "part", "flag").rows() == [
        ("1", "0.5", "true"),
        (None, "2.0", "false"),
    ]
    assert "many" not in found.columns.columns


def test_every_row_that_cannot_be_used_is_rejected_with_its_row(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", NAMES)
    write_images(tmp_path, ["secret.png"])
    written = [
        "a.png",
        "./a.png",
        "../secret.png",
        "/etc/passwd",
        "",
        "none.png",
        "sub",
        "sub/../b.png",
    ]
    file = tmp_path / "samples.csv"
    pl.DataFrame({"path": written}).write_csv(file)
    found = read_samples(table(images, file))
    assert found.samples["path"].to_list() == ["a.png", "b.png"]
    shown = {row["path"]: row["reason"] for row in found.rejects.iter_rows(named=True)}
    assert shown["a.png"] == "samples.csv row 2: the same path as row 1"
    assert shown["../secret.png"] == "samples.csv row 3: the path leaves the images folder"
    assert shown["/etc/passwd"].startswith("samples.csv row 4: is an absolute path")
    assert shown[""] == "samples.csv row 5: the path is empty"
    assert {"none.png", "sub"} < set(shown)
    assert found.rejects.height + found.samples.height == len(written)


def test_split_filters_by_the_column_or_fills_it(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", NAMES)
    with_split, without = tmp_path / "with.csv", tmp_path / "without.csv"
    with_split.write_text("path,split\na.png,train\nb.png,val\n")
    without.write_text("path\na.png\n")
    found = read_samples(table(images, with_split, split="val"))
    assert found.samples["path"].to_list() == ["b.png"]
    assert found.counts["other_split"] == 1
    assert read_samples(table(images, without, split="val")).samples["split"].to_list() == ["val"]
    with pytest.raises(DatasetError, match="no row has split 'vall'; did you mean 'val'"):
        read_samples(table(images, with_split, split="vall"))


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("t.csv", b"", "the file is empty"),
        ("t.csv", b"file\na.png\n", "column 'path' is missing; known: file"),
        ("t.csv", b"path\n", "no image can be used"),
        ("t.csv", b"path\nnone.png\n", "there is no such file"),
        ("t.csv", b"path,b\na.png,1,2,3\n", "cannot be read as csv"),
        ("t.csv", b"path\n\xff\xfe.png\n", "cannot be read as csv"),
        ("t.parquet", b"path\na.png\n", "cannot be read as parquet"),
        ("t.json", b"[]", "expected a .csv, .tsv or .parquet file"),
    ],
)
def test_a_table_that_cannot_be_used_is_a_clear_error(
    tmp_path: Path, name: str, content: bytes, shown: str
) -> None:
    images = write_images(tmp_path / "images", NAMES)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=shown):
        read_samples(table(images, tmp_path / name))


def test_a_missing_table_is_a_clear_error(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", NAMES)
    with pytest.raises(DatasetError, match="there is no such file"):
        read_samples(table(images, tmp_path / "none.csv"))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_row_order_does_not_matter(tmp_path: Path, seed: int) -> None:
    images = write_images(tmp_path / "images", NAMES)
    order = random.Random(seed).sample(range(4), 4)  # noqa: S311 - not for secrets
    frame = pl.DataFrame({"path": NAMES, "mark": ["1", "2", "3", "4"]})
    frame.write_csv(tmp_path / "sorted.csv")
    frame[order].write_csv(tmp_path / "mixed.csv")
    one = read_samples(table(images, tmp_path / "sorted.csv"))
    other = read_samples(table(images, tmp_path / "mixed.csv"))
    assert one.samples.equals(other.samples)
    assert one.columns.equals(other.columns)
