"""Detections become the objects of a dataset that has no true boxes."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError, TableError
from pipeline.samples.detected_objects import IMAGE_DETECTIONS
from pipeline.samples.image_names import choose_ids, name_images
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.datasets import write_images, write_json
from tests.samples.mutations import mutated

BOX = [2, 3, 20, 15]


def detection(image: Any = "a.png", **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": 1, "bbox": BOX, "score": 0.9, **more}


def ask(folder: Path, boxes: dict[str, Any], **more: Any) -> Dataset:
    write_images(folder / "images", ["a.png", "sub/b.png", "sub/007.png"])
    asked = {"format": "folder", "images": str(folder / "images"), "sample": "object"}
    return Dataset.model_validate({**asked, "boxes": boxes, **more})


def read(folder: Path, content: object, **more: Any) -> SampleSet:
    boxes = {"detections": str(folder / "found.json"), **more.pop("boxes", {})}
    dataset = ask(folder, boxes, **more)
    write_json(folder / "found.json", content)
    return read_samples(dataset, threads=1)


def objects(found: SampleSet) -> pl.DataFrame:
    return found.samples.filter(pl.col("parent_id").is_not_null())


def test_an_image_may_be_named_by_path_file_name_stem_or_number(tmp_path: Path) -> None:
    names = ["a.png", "a", "sub/b.png", "b.png", "b", "007", 7]
    found = read(tmp_path, [detection(name) for name in names])
    assert objects(found)["path"].to_list() == [
        *["a.png"] * 2,
        *["sub/007.png"] * 2,
        *["sub/b.png"] * 3,
    ]
    assert objects(found)["annotation_id"].to_list() == ["0", "1", "5", "6", "2", "3", "4"]
    assert found.objects.height == 7
    assert found.rejects.is_empty()


def test_score_is_a_column_and_names_come_before_ids(tmp_path: Path) -> None:
    content = [detection(category_name="cat", score=0.25), detection(category_id=7)]
    found = read(tmp_path, content)
    assert objects(found)["category"].to_list() == ["cat", "7"]
    assert found.columns["detection_score"].to_list() == [None, "0.25", "0.9"]


def test_scores_other_images_and_categories_are_counted(tmp_path: Path) -> None:
    content = [detection(), detection(score=0.1), detection("none.png"), detection(category_id=2)]
    found = read(tmp_path, content, boxes={"min_score": 0.5}, categories=["1"])
    assert objects(found).height == 1
    expected = {
        "detections_of_other_images": 1,
        "detections_below_min_score": 1,
        "other_category": 1,
        "images_without_object": 2,
    }
    assert {name: found.counts[name] for name in expected} == expected


def test_categories_are_renamed_then_asked_for(tmp_path: Path) -> None:
    content = [detection(category_id=1), detection(category_id=2), detection(category_id=3)]
    rename = {"1": "vehicle", "2": "vehicle"}
    found = read(tmp_path, content, rename=rename, categories=["vehicle"])
    assert objects(found)["category"].to_list() == ["vehicle", "vehicle"]
    with pytest.raises(DatasetError, match="rename: category 'vehicles' is not there"):
        read(tmp_path, content, rename={"vehicles": "x"})


BAD = [
    ({"score": float("nan")}, "expected a finite number"),
    ({"score": "0.5"}, "score is '0.5', expected"),
    ({"bbox": [2, 3, -4, 5]}, "the box is -4.0 x 5.0 pixels, expected sides above 0"),
    ({"bbox": [2, 3, 0, 5]}, "the box is 0.0 x 5.0 pixels, expected sides above 0"),
    ({"bbox": [2, 3, 1e9, 5]}, "beyond a million pixels"),
    ({"bbox": [99, 3, 4, 5]}, "the box lies outside the image"),
    ({"bbox": None}, "bbox is None, expected a list"),
    ({"category_id": None}, "category_id is None"),
    ({"category_name": 1.5}, "category is 1.5"),
]


@pytest.mark.parametrize(("bad", "shown"), BAD, ids=[shown for _, shown in BAD])
def test_a_bad_detection_is_rejected_with_its_reason(
    tmp_path: Path, bad: dict[str, Any], shown: str
) -> None:
    found = read(tmp_path, [detection(), detection(**bad)])
    assert objects(found)["annotation_id"].to_list() == ["0"]
    assert shown in found.rejects["reason"].item()
    assert found.rejects["path"].item() == "a.png"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ({}, "expected a list of COCO results"),
        ([], "no object can be used"),
        ([detection("none.png")], "none of the 1 detections is of an image of the dataset"),
    ],
)
def test_a_file_that_is_of_no_use_is_a_clear_error(
    tmp_path: Path, content: object, shown: str
) -> None:
    with pytest.raises(DatasetError, match=shown):
        read(tmp_path, content)


def test_a_detectors_frame_gives_the_same_samples_in_any_order(tmp_path: Path) -> None:
    rows = [("a.png", "face", 1.0, 2.0, 20.0, 15.0, score) for score in (0.5, 0.9, 0.7)]
    rows.append(("sub/b.png", "face", 1.0, 2.0, 20.0, 15.0, 0.8))
    dataset = ask(tmp_path, {"detector": "fake"})
    frames = [
        pl.DataFrame(given, schema=dict(IMAGE_DETECTIONS), orient="row")
        for given in (rows, rows[::-1])
    ]
    one, other = (read_samples(dataset, detections=frame) for frame in frames)
    assert one.samples.equals(other.samples)
    assert one.columns["detection_score"].to_list() == [None, "0.9", "0.7", "0.5", None, "0.8"]
    assert objects(one)["annotation_id"].to_list() == ["0", "1", "2", "0"]


def test_a_detector_without_its_detections_is_reported(tmp_path: Path) -> None:
    dataset = ask(tmp_path, {"detector": "fake"})
    with pytest.raises(DatasetError, match="detect first"):
        read_samples(dataset)
    with pytest.raises(TableError, match="'score' is missing"):
        read_samples(dataset, detections=pl.DataFrame({"path": []}))
    images = read_samples(dataset.model_copy(update={"sample": "image"}))
    assert images.samples.height == 3


def test_a_name_that_two_images_share_names_neither() -> None:
    paths = pl.Series(["a/1.png", "b/1.png", "1.png", "01.jpg"])
    names = dict(name_images(paths).iter_rows())
    assert names["1.png"] == "1.png"  # a path always names its image
    assert "1" not in names
    assert names["01"] == "01.jpg"
    chosen = dict(choose_ids(name_images(paths)).iter_rows())
    assert chosen == {"a/1.png": "a/1.png", "b/1.png": "b/1.png", "1.png": "1.png", "01.jpg": "01"}


@given(paths=st.lists(st.from_regex(r"([ab01]/)?[ab01]{1,2}(\.[ab1])?", fullmatch=True)))
def test_every_name_means_one_image_and_every_image_has_an_id(paths: list[str]) -> None:
    names = name_images(pl.Series(paths, dtype=pl.String))
    assert names["image_id"].is_unique().all()
    assert set(choose_ids(names)["path"]) == set(paths)


def test_a_detection_with_a_score_below_zero_is_an_object_unless_min_score_says_no(
    tmp_path: Path,
) -> None:
    content = [detection(score=-1), detection(score=-0.0), detection()]
    assert objects(read(tmp_path, content))["annotation_id"].to_list() == ["0", "1", "2"]
    found = read(tmp_path, content, boxes={"min_score": 0.0})
    assert objects(found)["annotation_id"].to_list() == ["1", "2"]
    assert found.counts["detections_below_min_score"] == 1
    assert found.rejects.is_empty()


@pytest.mark.slow
@given(document=mutated([detection(), detection("sub/b.png", score=0.2), detection("b")]))
def test_every_record_of_a_mutated_file_is_read_counted_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    folder = tmp_path_factory.getbasetemp() / "mutated"
    try:
        found = read(folder, document)
    except DatasetError as error:
        assert str(error).encode("utf-8")  # noqa: PT017 - it can be printed
        return
    counts = ("detections_of_other_images", "detections_below_min_score")
    counted = sum(found.counts[name] for name in counts)
    assert found.objects.height + counted + found.rejects.height == len(document)
