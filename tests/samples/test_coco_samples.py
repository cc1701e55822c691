"""COCO annotation files as samples: whole images or the objects in them."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.config.dataset import Dataset
from pipeline.samples.ids import make_object_key, make_sample_id
from pipeline.samples.read import read_samples
from tests.samples.coco_folder import BOX, dataset, read
from tests.samples.datasets import (
    NO_SHARED,
    SHARED,
    annotation,
    coco,
    write_image,
    write_images,
    write_json,
)


def test_image_audit_has_whole_images_and_keeps_the_truth(tmp_path: Path) -> None:
    content = coco({7: "b.png", 8: "a.png"}, [annotation(1, 7, BOX, category_id=2)])
    found = read(tmp_path, content, split="val")
    assert found.samples.select("path", "parent_id", "split").rows() == [
        ("a.png", None, "val"),
        ("b.png", None, "val"),
    ]
    assert found.objects.rows() == [
        (0, "7", "b.png", "1", "dog", 2.0, 3.0, 20.0, 15.0, False, False)
    ]
    assert found.source_images.rows() == [(0, "8", "a.png"), (0, "7", "b.png")]
    assert found.categories.rows() == [(0, "1", "person", True), (0, "2", "dog", True)]
    assert found.counts["images_without_object"] == 1


def test_object_audit_has_objects_under_their_image(tmp_path: Path) -> None:
    content = coco({1: "a.png", 2: "b.png"}, [annotation(10, 1, BOX), annotation(9, 1, BOX)])
    found = read(tmp_path, content, sample="object")
    image, first, second = found.samples.rows(named=True)
    assert (image["path"], image["parent_id"], image["x"]) == ("a.png", None, None)
    assert [first["annotation_id"], second["annotation_id"]] == ["9", "10"]  # as numbers
    assert first["parent_id"] == second["parent_id"] == image["sample_id"]
    assert first["sample_id"] == make_sample_id("a.png", "9")
    assert first["content_key"] == second["content_key"]  # the same pixels
    assert first["content_key"] == make_object_key(image["content_key"], BOX, margin=0.1)
    assert (first["category"], first["w"], first["width"]) == ("person", 20.0, 32)
    assert found.columns["sample_id"].equals(found.samples["sample_id"])


def test_object_key_depends_on_file_box_and_margin() -> None:
    keys = {
        make_object_key(key, box, margin=margin)
        for key in ("00", "01")
        for box in ((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 5.0))
        for margin in (0.0, 0.1)
    }
    assert len(keys) == 8
    assert all(len(key) == 32 for key in keys)


def test_object_key_changes_with_what_changes_pixels_and_keeps_its_earlier_value() -> None:
    box = (1.0, 2.0, 3.0, 4.0)
    plain = make_object_key("00", box, margin=0.1)
    assert plain == make_object_key("00", box, margin=0.1, square=False, interpolation="model")
    assert plain == "69ed4e5f8ad147f0cd3f4719501b0fd5"  # as version 0.1.0 made it
    others = {
        make_object_key("00", box, margin=0.1, square=square, interpolation=interpolation)
        for square in (False, True)
        for interpolation in ("model", "nearest", "bilinear")
    }
    assert len(others) == 6


def test_flags_and_categories_decide_which_objects_are_samples(tmp_path: Path) -> None:
    content = coco(
        {1: "a.png", 2: "b.png"},
        [
            annotation(1, 1, BOX),
            annotation(2, 1, BOX, iscrowd=1),
            annotation(3, 1, BOX, ignore=True),
            annotation(4, 1, BOX, category_id=2),
            annotation(5, 1, (2, 3, 7.9, 15)),
            annotation(6, 1, (28, 3, 20, 15)),  # 4 of its 20 pixels are inside the image
        ],
    )
    found = read(tmp_path, content, sample="object", categories=["person"])
    assert found.samples["annotation_id"].drop_nulls().to_list() == ["1", "5", "6"]
    assert found.objects.height == 6  # the truth keeps them, with their flags
    expected = {"crowd": 1, "ignored": 1, "other_category": 1, "too_small": 2}
    assert {name: found.counts[name] for name in expected} == expected
    assert found.counts["images_without_object"] == 1
    assert found.categories["asked"].to_list() == [True, False]


def test_byte_order_mark_and_text_ids_are_read(tmp_path: Path) -> None:
    content = coco(
        {}, [{"id": "x1", "image_id": "img", "category_id": 1.0, "bbox": [1, 2, 30, 20]}]
    )
    content["images"] = [{"id": "img", "file_name": "a.png", "width": 0, "height": 0}]
    write_images(tmp_path / "images", ["a.png"])
    (tmp_path / "truth.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    found = read_samples(dataset(tmp_path, sample="object"))
    assert found.samples["annotation_id"].to_list() == [None, "x1"]


def test_several_files_keep_their_ids_apart(tmp_path: Path) -> None:
    for name in ("train", "val"):
        write_images(tmp_path / name, ["a.png"])
        write_json(tmp_path / f"{name}.json", coco({1: "a.png"}, [annotation(1, 1, BOX)]))
    found = read_samples(
        Dataset.model_validate(
            {
                "format": "coco",
                "images": [str(tmp_path / "train"), str(tmp_path / "val")],
                "annotations": [str(tmp_path / "train.json"), str(tmp_path / "val.json")],
                "sample": "object",
            }
        )
    )
    assert found.objects.select("source", "image_id", "path").rows() == [
        (0, "1", "train/a.png"),
        (1, "1", "val/a.png"),
    ]
    assert found.samples["sample_id"].n_unique() == 4
    assert found.rejects.is_empty()


def test_limit_counts_objects_and_keeps_the_whole_truth(tmp_path: Path) -> None:
    content = coco({1: "a.png", 2: "b.png"}, [annotation(n, 1 + n % 2, BOX) for n in range(1, 9)])
    every = read(tmp_path, content, sample="object")
    limited = read_samples(dataset(tmp_path, sample="object"), limit=3)
    assert limited.samples.equals(every.samples.head(4))  # their image comes before them
    assert limited.objects.equals(every.objects)


def test_images_without_objects_are_not_opened_in_an_object_audit(tmp_path: Path) -> None:
    content = coco({1: "a.png", 2: "none.png"}, [annotation(1, 1, BOX)])
    found = read(tmp_path, content, sample="object")
    assert found.rejects.is_empty()
    assert found.counts["images_without_object"] == 1


def test_known_rows_of_an_object_audit_spare_the_hashing(tmp_path: Path) -> None:
    content = coco({1: "a.png"}, [annotation(1, 1, BOX)])
    first = read(tmp_path, content, sample="object")
    again = read_samples(dataset(tmp_path, sample="object"), known=first.samples)
    assert again.counts["files_hashed"] == 0
    assert again.samples.equals(first.samples)


def test_a_rotated_photograph_has_the_size_that_people_see(tmp_path: Path) -> None:
    from PIL import Image

    file = write_image(tmp_path / "images" / "a.jpg", size=(40, 20))
    with Image.open(file) as image:
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(file, exif=exif)
    write_json(tmp_path / "truth.json", coco({1: "a.jpg"}, []))
    samples = read_samples(dataset(tmp_path)).samples
    assert samples.select("width", "height").row(0) == (20, 40)


@pytest.mark.skipif(not (SHARED / "coco_mini").is_dir(), reason=NO_SHARED)
def test_coco_people_as_images_and_objects() -> None:
    folder = SHARED / "coco_mini"
    asked = {
        "format": "coco",
        "images": [str(folder / "train2017"), str(folder / "val2017")],
        "annotations": [
            str(folder / f"annotations/instances_{split}2017.json") for split in ("train", "val")
        ],
        "categories": ["person"],
    }
    images = read_samples(Dataset.model_validate(asked))
    assert (images.samples.height, images.objects.height) == (159, 1363)
    objects = read_samples(Dataset.model_validate({**asked, "sample": "object"}))
    people = objects.samples.filter(pl.col("parent_id").is_not_null())
    assert people.height + objects.counts["crowd"] == 290
    assert (people.height, objects.counts["too_small"]) == (284, 13)
    assert objects.rejects.is_empty()
