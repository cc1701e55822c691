"""COCO records and files that cannot be used: rejected or refused with their reason."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from tests.samples.coco_folder import BOX, dataset, read, reasons
from tests.samples.datasets import Json, annotation, coco, write_images

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
    ("bad", "shown"), BAD_ANNOTATIONS, ids=[shown for _, shown in BAD_ANNOTATIONS]
)
@pytest.mark.parametrize("sample", ["image", "object"])
def test_a_bad_annotation_is_rejected_with_its_reason_and_the_rest_is_read(
    tmp_path: Path, bad: Json, shown: str, sample: str
) -> None:
    found = read(tmp_path, coco({1: "a.png"}, [annotation(1, 1, BOX), bad]), sample=sample)
    assert found.objects["annotation_id"].to_list() == ["1"]
    (reason,) = reasons(found)
    assert shown in reason
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


@pytest.mark.parametrize(("bad", "shown"), BAD_IMAGES, ids=[shown for _, shown in BAD_IMAGES])
def test_a_bad_image_record_is_rejected_and_the_rest_is_read(
    tmp_path: Path, bad: Any, shown: str
) -> None:
    content = coco({1: "a.png"}, [annotation(1, 1, BOX)])
    content["images"].append(bad)
    found = read(tmp_path, content)
    assert found.samples["path"].to_list() == ["a.png"]
    (reason,) = reasons(found)
    assert shown in reason


BAD_FILES: list[tuple[str, str]] = [
    ("", "the file is empty; expected JSON"),
    ('{"images": [', "line 1 column 13: unexpected end of data (the file may be cut off)"),
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


@pytest.mark.parametrize(("text", "shown"), BAD_FILES, ids=[shown for _, shown in BAD_FILES])
def test_a_file_that_is_no_coco_is_a_clear_error(tmp_path: Path, text: str, shown: str) -> None:
    write_images(tmp_path / "images", ["a.png"])
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_samples(dataset(tmp_path))
    assert shown in str(caught.value)
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


@pytest.mark.slow
def test_a_file_of_one_endless_line_is_read_and_reported_where_it_is_cut_off(
    tmp_path: Path,
) -> None:
    write_images(tmp_path / "images", ["a.png"])
    record = b'{"id": 1, "file_name": "a.png"}, '
    data = b'{"images": [' + record * (20_000_000 // len(record))
    (tmp_path / "truth.json").write_bytes(data)
    with pytest.raises(DatasetError, match=r"line 1 column \d{8}: .*cut off"):
        read_samples(dataset(tmp_path))
    (tmp_path / "truth.json").write_bytes(data[:-2] + b'], "annotations": [], "categories": []}')
    found = read_samples(dataset(tmp_path))
    assert (found.samples.height, found.rejects.height) == (1, len(data) // len(record) - 1)


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


def test_an_unknown_category_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'persons' is not there; did you mean 'person'"):
        read(tmp_path, coco({1: "a.png"}, []), categories=["persons"])
