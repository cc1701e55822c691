"""COCO annotation files as samples: whole images or the objects in them."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.config import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples import SampleSet, read_samples
from pipeline.samples.ids import make_object_key, make_sample_id
from tests.samples.datasets import (
    NO_SHARED,
    SHARED,
    Json,
    annotation,
    coco,
    write_image,
    write_images,
    write_json,
)

BOX = (2, 3, 20, 15)


def dataset(folder: Path, **more: object) -> Dataset:
    return Dataset.model_validate(
        {
            "format": "coco",
            "images": str(folder / "images"),
            "annotations": str(folder / "truth.json"),
            **more,
        }
    )


def read(folder: Path, content: object, **more: object) -> SampleSet:
    """Write images a.png and b.png of 32 x 24 pixels and the annotations, and read them."""
    write_images(folder / "images", ["a.png", "b.png"])
    write_json(folder / "truth.json", content)
    return read_samples(dataset(folder, **more))


def reasons(found: SampleSet) -> list[str]:
    return found.rejects["reason"].to_list()


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


def test_flags_sizes_and_categories_decide_which_objects_are_samples(tmp_path: Path) -> None:
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
    assert found.samples["annotation_id"].drop_nulls().to_list() == ["1"]
    assert found.objects.height == 6  # the truth keeps them, with their flags
    expected = {"crowd": 1, "ignored": 1, "other_category": 1, "too_small": 2}
    assert {name: found.counts[name] for name in expected} == expected
    assert found.counts["images_without_object"] == 1
    assert found.categories["asked"].to_list() == [True, False]


BAD_ANNOTATIONS: list[tuple[Any, str]] = [
    ([], "is [], expected an object"),
    (annotation(2, 1, (2, 3, -4, 5)), "the box is -4 x 5 pixels, expected sides above 0"),
    (annotation(2, 1, (2, 3, 4, 0)), "the box is 4 x 0 pixels, expected sides above 0"),
    (annotation(2, 1, (2, float("nan"), 4, 5)), "expected four finite numbers"),
    (annotation(2, 1, (2, float("inf"), 4, 5)), "expected four finite numbers"),
    (annotation(2, 1, (2, 10**400, 4, 5)), "expected four finite numbers"),
    (annotation(2, 1, (2, 3, 1e9, 5)), "beyond a million pixels"),
    (annotation(2, 1, (2, 3, 4)), "expected [x, y, width, height]"),
    (annotation(2, 1, ("2", "3", "4", "5")), "expected [x, y, width, height]"),
    (annotation(2, 1, (True, 3, 4, 5)), "expected [x, y, width, height]"),
    (annotation(2, 1, (40, 3, 4, 5)), "the box lies outside the image"),
    (annotation(2, 1, (-9, 3, 4, 5)), "the box lies outside the image"),
    (annotation(2, 99, BOX), "image_id 99 names no usable image"),
    (annotation(2, 1, BOX, category_id=99), "category_id 99 is no category"),
    (annotation(2, 1, BOX, category_id=None), "category_id is None, expected"),
    (annotation(1, 1, BOX), "id 1 is also that of annotations[0]"),
    (annotation(2, 1, BOX, id=1.5), "id is 1.5, expected a whole number or a text"),
    (annotation(2, 1, BOX, id=2**70), "id is a number beyond 64 bits"),
    (annotation(2, 1, BOX, id=True), "id is True, expected"),
    (annotation(2, 1, BOX, id="\ud800"), "expected an id"),
    (annotation(2, 1, BOX, iscrowd="no"), "iscrowd is 'no', expected"),
    (annotation(2, 1, BOX, iscrowd=2), "iscrowd is 2, expected 0 or 1"),
    ({"id": 2, "image_id": 1, "category_id": 1}, "bbox is missing"),
    ({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}, "id is missing"),
]


@pytest.mark.parametrize(
    ("bad", "told"), BAD_ANNOTATIONS, ids=[told for _, told in BAD_ANNOTATIONS]
)
@pytest.mark.parametrize("sample", ["image", "object"])
def test_a_bad_annotation_is_rejected_with_its_reason_and_the_rest_is_read(
    tmp_path: Path, bad: Json, told: str, sample: str
) -> None:
    found = read(tmp_path, coco({1: "a.png"}, [annotation(1, 1, BOX), bad]), sample=sample)
    assert found.objects["annotation_id"].to_list() == ["1"]
    (reason,) = reasons(found)
    assert told in reason
    assert "annotations[1]" in reason or "annotation 2:" in reason


BAD_IMAGES: list[tuple[Any, str]] = [
    ("a.png", "images[1]: is 'a.png', expected an object"),
    ({"id": 1, "file_name": "b.png"}, "images[1]: id 1 is also that of images[0]"),
    ({"id": 2, "file_name": "./a.png"}, "the image is also in truth.json images[0], which counts"),
    ({"id": 2, "file_name": "../truth.json"}, "the path leaves the images folder"),
    ({"id": 2, "file_name": "/etc/hosts"}, "is an absolute path"),
    ({"id": 2, "file_name": ""}, "the path is empty"),
    ({"id": 2, "file_name": "a\0b.png"}, "the path holds a null character"),
    ({"id": 2, "file_name": "\udcff.png"}, "file_name is not valid Unicode text"),
    ({"id": 2, "file_name": 3}, "file_name is 3, expected a text"),
    ({"id": 2}, "file_name is missing"),
    ({"file_name": "b.png"}, "id is missing"),
    ({"id": 2, "file_name": "none.png"}, "there is no such file"),
    ({"id": 2, "file_name": "b.png", "width": "wide"}, "width is 'wide', expected"),
]


@pytest.mark.parametrize(("bad", "told"), BAD_IMAGES, ids=[told for _, told in BAD_IMAGES])
def test_a_bad_image_record_is_rejected_and_the_rest_is_read(
    tmp_path: Path, bad: Any, told: str
) -> None:
    content = coco({1: "a.png"}, [annotation(1, 1, BOX)])
    content["images"].append(bad)
    found = read(tmp_path, content)
    assert found.samples["path"].to_list() == ["a.png"]
    (reason,) = reasons(found)
    assert told in reason


BAD_FILES: list[tuple[str, str]] = [
    ("", "the file is empty; expected JSON"),
    ('{"images": [', "line 1 column 13: Expecting value (the file may be cut off)"),
    ('{"images": [}]', "line 1 column 13: Expecting value"),
    ("[1, 2]", "holds [1, 2], expected a COCO object"),
    ("7", "holds 7, expected a COCO object"),
    ("{}", "3 problems"),
    ('{"images": {}, "annotations": [], "categories": []}', "'images' is {}, expected a list"),
    ("[" * 100_000, "is not JSON"),
    ('{"images": [], "annotations": [], "categories": [{"id": 1}]}', "[0]: name is missing"),
    (
        '{"images": [], "annotations": [], "categories": '
        '[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
        "categories[1]: id 1 is also that of categories[0]",
    ),
    ('{"images": [], "annotations": [], "categories": []}', "no image can be used as a sample"),
]


@pytest.mark.parametrize(("text", "told"), BAD_FILES, ids=[told for _, told in BAD_FILES])
def test_a_file_that_is_no_coco_is_a_clear_error(tmp_path: Path, text: str, told: str) -> None:
    write_images(tmp_path / "images", ["a.png"])
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_samples(dataset(tmp_path))
    assert told in str(caught.value)
    assert "truth.json" in str(caught.value)


def test_bytes_that_are_no_text_and_missing_files_are_clear_errors(tmp_path: Path) -> None:
    write_images(tmp_path / "images", ["a.png"])
    with pytest.raises(DatasetError, match="there is no such file"):
        read_samples(dataset(tmp_path))
    (tmp_path / "truth.json").write_bytes(b'{"images": "\xff"}')
    with pytest.raises(DatasetError, match="byte 12 is not UTF-8"):
        read_samples(dataset(tmp_path))
    (tmp_path / "truth.json").unlink()
    (tmp_path / "truth.json").mkdir()
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        read_samples(dataset(tmp_path))


def test_byte_order_mark_and_text_ids_are_read(tmp_path: Path) -> None:
    content = coco(
        {}, [{"id": "x1", "image_id": "img", "category_id": 1.0, "bbox": [1, 2, 30, 20]}]
    )
    content["images"] = [{"id": "img", "file_name": "a.png", "width": 0, "height": 0}]
    write_images(tmp_path / "images", ["a.png"])
    (tmp_path / "truth.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    found = read_samples(dataset(tmp_path, sample="object"))
    assert found.samples["annotation_id"].to_list() == [None, "x1"]


def test_images_of_another_size_than_stated_are_refused_for_objects_only(tmp_path: Path) -> None:
    content = coco({1: "a.png"}, [annotation(1, 1, BOX), annotation(2, 2, BOX)])
    content["images"].append({"id": 2, "file_name": "b.png", "width": 24, "height": 32})
    as_images = read(tmp_path, content)
    assert as_images.samples.height == 2
    assert as_images.counts["size_differs"] == 1
    as_objects = read(tmp_path, content, sample="object")
    assert as_objects.samples["path"].unique().to_list() == ["a.png"]
    assert as_objects.counts["objects_of_rejected_images"] == 1
    assert reasons(as_objects) == [
        "the annotations are of an image of 24 x 32 pixels, this one has 32 x 24"
    ]


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
    assert limited.samples.equals(every.samples.head(4))  # their image stands before them
    assert limited.objects.equals(every.objects)


def test_images_without_objects_are_not_opened_in_an_object_audit(tmp_path: Path) -> None:
    content = coco({1: "a.png", 2: "none.png"}, [annotation(1, 1, BOX)])
    found = read(tmp_path, content, sample="object")
    assert found.rejects.is_empty()
    assert found.counts["images_without_object"] == 1


def test_an_unknown_category_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'persons' is not there; did you mean 'person'"):
        read(tmp_path, coco({1: "a.png"}, []), categories=["persons"])


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
    assert people.height + objects.counts["too_small"] + objects.counts["crowd"] == 290
    assert objects.rejects.is_empty()
