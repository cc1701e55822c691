"""YOLO datasets as samples: splits, boxes in pixels, names of images, categories."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from tests.samples.datasets import write_images
from tests.samples.yolo_folder import DATA_YAML, LABELS, ask_yolo, read_yolo, write_yolo_folder


def test_boxes_are_in_pixels_and_splits_are_those_of_the_file(tmp_path: Path) -> None:
    found = read_yolo(tmp_path)
    assert found.samples.select("path", "split").rows() == [
        ("images/train/a.png", "train"),
        ("images/train/b.png", "train"),
        ("images/val/c.png", "val"),
    ]
    columns = ["image_id", "annotation_id", "category", "x", "y", "w", "h", "crowd", "ignore"]
    first, second, triangle = found.objects.select(columns).rows()
    assert first == ("a", "a:1", "person", 8.0, 6.0, 16.0, 12.0, False, False)
    assert second == ("a", "a:2", "dog", 0.0, 0.0, 16.0, 24.0, False, False)
    assert triangle[:3] == ("b", "b:1", "dog")
    assert triangle[3:7] == pytest.approx((3.2, 2.4, 25.6, 19.2))
    assert found.rejects.is_empty()
    assert found.counts["images_without_label_file"] == 1
    assert found.categories.rows() == [(0, "0", "person", True), (0, "1", "dog", True)]


def test_objects_are_samples_and_a_split_can_be_chosen(tmp_path: Path) -> None:
    labels = {**LABELS, "val/c": "0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.1 0.1\n"}
    found = read_yolo(tmp_path, labels=labels, sample="object", split="val")
    assert found.samples["annotation_id"].to_list() == [None, "c:1", "c:2"]
    assert found.samples["split"].to_list() == ["val"] * 3
    assert (found.counts["too_small"], found.counts["objects"]) == (1, 2)


def test_predictions_may_name_an_image_by_path_name_stem_or_number(tmp_path: Path) -> None:
    write_images(tmp_path / "images", ["val/007.png"])
    found = read_yolo(tmp_path)
    named = found.source_images.filter(pl.col("path") == "images/val/007.png")
    names = {"images/val/007.png", "007.png", "007", "7"}
    assert set(named["image_id"]) == names
    assert set(named["source"]) == {0}


def test_equal_stems_are_distinguished_by_their_path(tmp_path: Path) -> None:
    write_images(tmp_path / "images", ["val/a.png"])
    found = read_yolo(tmp_path, labels={**LABELS, "val/a": "0 0.5 0.5 0.5 0.5\n"})
    ids = found.objects["annotation_id"].to_list()
    assert ids == ["images/train/a.png:1", "images/train/a.png:2", "b:1", "images/val/a.png:1"]


def test_categories_are_renamed_then_asked_for(tmp_path: Path) -> None:
    rename = {"dog": "animal", "person": "animal"}
    found = read_yolo(tmp_path, sample="object", rename=rename, categories=["animal"])
    assert found.objects["category"].to_list() == ["animal"] * 3
    with pytest.raises(DatasetError, match=r"2 problems(.|\n)*'dgo' is not .* mean 'dog'"):
        read_yolo(tmp_path, rename={"dgo": "animal"}, categories=["animal"])
    only = read_yolo(tmp_path, sample="object", categories=["person"])
    assert (only.counts["objects"], only.counts["other_category"]) == (1, 2)


def test_lists_of_images_and_lists_of_folders_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(f"./images/train/a.png\n\n{tmp_path}/images/train/b.png\r\n")
    data = "train: [t.txt, images/val]\nnc: 2\nnames: [person, dog]\n"
    found = read_yolo(tmp_path, data=data)
    assert found.samples["path"].to_list() == [
        *("images/train/a.png", "images/train/b.png", "images/val/c.png"),
    ]
    assert found.objects.height == 3
    (tmp_path / "t.txt").write_text("images/train/a.png\nnone/x.png\n../../x.png\n")
    found = read_yolo(tmp_path, data=data)
    shown = dict(found.rejects.select("path", "reason").iter_rows())
    assert shown["none/x.png"] == "there is no such file"
    assert "lies outside the images folder" in next(
        iter(set(shown.values()) - {shown["none/x.png"]})
    )


@pytest.mark.parametrize("place", ["/nowhere/of/another/machine", "datasets/coco8", "."])
def test_a_path_that_leads_nowhere_here_falls_back_to_the_files_folder(
    tmp_path: Path, place: str
) -> None:
    assert read_yolo(tmp_path, data=DATA_YAML.replace("path: .", f"path: {place}")).objects.height


def test_the_parent_of_an_export_is_understood(tmp_path: Path) -> None:
    data = "train: ../images/train\nnames: [person, dog]"
    assert read_yolo(tmp_path / "export", data=data).objects.height == 3


def test_images_may_lie_elsewhere_if_the_audit_says_so(tmp_path: Path) -> None:
    write_yolo_folder(tmp_path / "data")
    file = tmp_path / "config" / "data.yaml"
    file.parent.mkdir()
    file.write_text(DATA_YAML.replace("path: .", f"path: {tmp_path / 'data'}"))
    with pytest.raises(DatasetError, match=f'set images = "{tmp_path}"'):
        read_samples(ask_yolo(file))
    found = read_samples(ask_yolo(file, images=str(tmp_path / "data")))
    assert found.objects["path"][0] == "images/train/a.png"


def test_names_stay_as_they_are_written(tmp_path: Path) -> None:
    found = read_yolo(tmp_path, data="train: images/train\nnames: [no, 1.50]\n")
    assert found.categories["category"].to_list() == ["no", "1.50"]


def test_keypoints_after_the_box_are_passed_over(tmp_path: Path) -> None:
    data = DATA_YAML + "kpt_shape: [3, 2]\n"
    line = "0 0.5 0.5 0.5 0.5 " + "0.9 0.9 " * 3
    found = read_yolo(tmp_path, data=data, labels={"train/a": line})
    assert found.objects.select("x", "y", "w", "h").row(0) == (8.0, 6.0, 16.0, 12.0)


def test_several_datasets_keep_their_ids_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_yolo_folder(tmp_path / name)
    files = [str(tmp_path / name / "data.yaml") for name in ("one", "two")]
    asked = ask_yolo(tmp_path).model_validate({"format": "yolo", "annotations": files})
    found = read_samples(asked)
    assert found.objects["source"].to_list() == [0, 0, 0, 1, 1, 1]
    assert found.objects["annotation_id"].to_list() == ["a:1", "a:2", "b:1"] * 2
    assert found.samples["path"].to_list()[0] == "one/images/train/a.png"


def test_a_limit_opens_no_further_images(tmp_path: Path) -> None:
    file = write_yolo_folder(tmp_path)
    found = read_samples(ask_yolo(file, sample="object"), limit=1)
    assert found.samples["annotation_id"].to_list() == [None, "a:1"]
    assert (found.counts["files_hashed"], found.counts["objects_of_rejected_images"]) == (1, 0)
