"""Pascal VOC datasets as samples: boxes, flags, sets, and which image a file is about."""

from pathlib import Path

import pytest

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from tests.samples.datasets import write_images
from tests.samples.voc_folder import (
    FILES,
    ask_voc,
    read_voc,
    voc_file,
    voc_object,
    write_voc_folder,
)


def test_corners_count_from_one_and_belong_to_the_box(tmp_path: Path) -> None:
    found = read_voc(tmp_path)
    assert found.objects.drop("source").rows() == [
        ("a", "a.png", "a:1", "person", 2.0, 3.0, 20.0, 15.0, False, False),
        ("a", "a.png", "a:2", "dog", 0.0, 0.0, 32.0, 24.0, False, True),
        ("b", "b.png", "b:1", "person", 2.0, 3.0, 20.0, 15.0, False, False),
    ]
    assert found.rejects.is_empty()
    assert found.categories.rows() == [(0, "dog", "dog", True), (0, "person", "person", True)]
    assert set(found.source_images["image_id"]) == {"a.png", "a", "b.png", "b"}


def test_corners_that_count_from_zero_are_noticed(tmp_path: Path) -> None:
    files = {"a": voc_file(voc_object(box=(0, 0, 31, 23))), "b": FILES["b"]}
    found = read_voc(tmp_path, files)
    assert found.counts["files_with_corners_at_0"] == 1
    (note,) = found.notes
    assert note.startswith("Pascal VOC: 1 annotation files have corners at 0, ")
    assert 'corners = "from-0"' in note
    assert found.objects.select("x", "w").row(0) == (-1.0, 32.0)
    assert read_voc(tmp_path).notes == ()


@pytest.mark.parametrize(
    ("corners", "box"),
    [("from-1", (2, 3, 20, 15)), ("from-0", (3, 4, 20, 15)), ("edges", (3, 4, 19, 14))],
)
def test_the_audit_says_what_corners_mean(
    tmp_path: Path, corners: str, box: tuple[float, ...]
) -> None:
    files = {"a": voc_file(voc_object(box=(3, 4, 22, 18)), voc_object(box=(0, 0, 9, 9)))}
    found = read_voc(tmp_path, files, corners=corners)
    assert found.objects.select("x", "y", "w", "h").row(0) == box
    assert found.notes == ()


def test_corners_are_said_of_voc_alone() -> None:
    with pytest.raises(ValueError, match="corners: not used by format 'folder'"):
        Dataset.model_validate({"format": "folder", "images": "images", "corners": "from-0"})


def test_difficult_objects_are_no_samples_and_are_counted(tmp_path: Path) -> None:
    found = read_voc(tmp_path, sample="object")
    assert found.samples["annotation_id"].drop_nulls().to_list() == ["a:1", "b:1"]
    assert (found.counts["ignored"], found.counts["crowd"]) == (1, 0)


def test_objects_that_are_too_small_are_samples_and_counted(tmp_path: Path) -> None:
    files = {"a": voc_file(voc_object(), voc_object(box=(1, 1, 7, 20)))}
    found = read_voc(tmp_path, files, sample="object")
    assert (found.counts["objects"], found.counts["too_small"]) == (2, 1)


def test_flags_of_objects_become_columns(tmp_path: Path) -> None:
    more = "<truncated>1</truncated><occluded>0</occluded><pose>Left</pose>"
    unsaid = "<pose>Unspecified</pose><truncated>0</truncated>"
    files = {"a": voc_file(voc_object(more=more), voc_object(more=unsaid), voc_object())}
    found = read_voc(tmp_path, files, sample="object")
    columns = found.columns.select("truncated", "occluded", "pose").rows()
    assert columns == [(None, None, None), ("yes", "no", "Left"), ("no", None, None), (None,) * 3]


def test_parts_of_an_object_are_not_its_box(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin></bndbox></part>"
    found = read_voc(tmp_path, {"a": voc_file(voc_object(more=part))})
    assert found.objects.select("category", "x", "w").rows() == [("person", 2.0, 20.0)]


def test_a_split_is_the_set_beside_the_annotations(tmp_path: Path) -> None:
    write_voc_folder(tmp_path)
    sets = tmp_path / "ImageSets" / "Main"
    sets.mkdir(parents=True)
    (sets / "val.txt").write_text("b  1\nnone -1\n\n")
    found = read_samples(ask_voc(tmp_path, split="val"))
    assert found.samples.select("path", "split").rows() == [("b.png", "val")]
    assert found.counts["other_split"] == 1
    assert found.rejects.row(0)[0] == "none"
    with pytest.raises(DatasetError, match="there is no set 'va'; did you mean 'val'"):
        read_samples(ask_voc(tmp_path, split="va"))


def test_without_sets_a_split_is_a_name(tmp_path: Path) -> None:
    assert read_voc(tmp_path, split="test").samples["split"].to_list() == ["test"] * 2


@pytest.mark.parametrize("filename", ["", "other.jpg", "C:\\x\\a.jpg", "/x/a.jpg", "../a.png"])
def test_an_image_that_is_not_named_rightly_is_found_by_the_files_stem(
    tmp_path: Path, filename: str
) -> None:
    found = read_voc(tmp_path, {"a": voc_file(voc_object(), filename=filename)})
    assert found.samples["path"].to_list() == ["a.png"]
    assert found.counts["images_without_annotation"] == 1


def test_folders_under_the_annotations_mirror_those_of_the_images(tmp_path: Path) -> None:
    write_images(tmp_path / "JPEGImages", ["day/a.png", "night/a.png"])
    files = {"day/a": FILES["a"], "night/a": FILES["a"]}
    found = read_voc(tmp_path, files)
    assert found.samples["path"].to_list() == ["day/a.png", "night/a.png"]
    assert found.objects["annotation_id"].to_list()[0] == "day/a.png:1"


def test_categories_are_renamed_then_asked_for(tmp_path: Path) -> None:
    found = read_voc(tmp_path, sample="object", rename={"person": "human"}, categories=["human"])
    assert set(found.objects["category"]) == {"human", "dog"}
    assert found.counts["other_category"] == 1
    assert found.categories.rows() == [(0, "dog", "dog", False), (0, "person", "human", True)]
    with pytest.raises(DatasetError, match="'cat' is not there"):
        read_voc(tmp_path, rename={"cat": "dog"})


def test_sizes_that_differ_refuse_the_image_for_objects(tmp_path: Path) -> None:
    size = "<size><width>24</width><height>32</height><depth>3</depth></size>"
    files = {"a": voc_file(voc_object(), size=size), "b": FILES["b"]}
    found = read_voc(tmp_path, files, sample="object")
    assert found.samples["path"].unique().to_list() == ["b.png"]
    assert "of an image of 24 x 32 pixels" in found.rejects["reason"].item()
