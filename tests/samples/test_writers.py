"""What is read, written and read again is the same, in each format."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.coco.writer import write_coco
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from pipeline.samples.voc.writer import write_voc
from pipeline.samples.yolo.writer import write_yolo
from tests.samples.coco_folder import read as read_coco
from tests.samples.datasets import NO_SHARED, SHARED, annotation, coco, write_images
from tests.samples.voc_folder import read_voc
from tests.samples.yolo_folder import read_yolo

BOXES = ["path", "category", "x", "y", "w", "h"]
CONTENT = coco(
    {7: "b.png", 5: "sub/a.png"},
    [
        annotation(3, 7, (2.25, 3.5, 20, 15)),
        annotation(9, 7, (0, 0, 32, 24), category_id=2),
        annotation(4, 5, (1, 2, 3.125, 4), iscrowd=1),
        annotation(2, 5, (1, 2, 5, 4), ignore=1),
    ],
)


def boxes(found: SampleSet, *, flags: bool = False) -> pl.DataFrame:
    """Return the boxes in an order of their own, by file name: formats may move the images."""
    columns = [*BOXES, "crowd", "ignore"] if flags else BOXES
    rows = found.objects.select(columns)
    return rows.with_columns(pl.col("path").str.split("/").list.last()).sort(BOXES)


def source(folder: Path) -> SampleSet:
    write_images(folder / "images" / "sub", ["a.png"])
    return read_coco(folder, CONTENT)


def ask(form: str, images: Path, annotations: Path, **more: object) -> SampleSet:
    places = {"images": str(images), "annotations": str(annotations)}
    return read_samples(Dataset.model_validate({"format": form, **places, **more}))


def test_coco_comes_back_with_its_ids_and_flags(tmp_path: Path) -> None:
    first = source(tmp_path)
    written = write_coco(first, tmp_path / "out.json")
    again = ask("coco", tmp_path / "images", tmp_path / "out.json")
    assert again.objects.equals(first.objects)
    assert again.source_images.equals(first.source_images)
    assert again.categories.equals(first.categories)
    assert (written.images, written.objects) == (2, 4)


def test_voc_comes_back_with_crowds_as_difficult(tmp_path: Path) -> None:
    first = source(tmp_path)
    write_voc(first, tmp_path / "out")
    again = ask("voc", tmp_path / "images", tmp_path / "out" / "Annotations", split=None)
    expected = boxes(first, flags=True).with_columns(
        ignore=pl.col("ignore") | pl.col("crowd"),
        crowd=pl.lit(False),  # noqa: FBT003 - a literal
    )
    assert_frame_equal(boxes(again, flags=True), expected)
    assert set(again.samples["path"]) == {"b.png", "sub/a.png"}


def test_yolo_comes_back_without_crowds_and_ignored_ones(tmp_path: Path) -> None:
    first = source(tmp_path)
    written = write_yolo(first, tmp_path / "out", root=tmp_path / "images")
    assert written.left_out["crowds_and_ignored"] == 2
    again = ask("yolo", tmp_path / "out", tmp_path / "out" / "data.yaml")
    counted = first.objects.filter(~pl.col("crowd") & ~pl.col("ignore"))
    assert_frame_equal(boxes(again), counted.select(BOXES).sort(BOXES), check_exact=False)
    assert set(again.samples["path"]) == {"images/train/b.png", "images/train/sub/a.png"}
    assert again.rejects.is_empty()


def test_yolo_and_voc_come_back_as_yolo_and_voc(tmp_path: Path) -> None:
    first = read_yolo(tmp_path / "yolo")
    write_yolo(first, tmp_path / "out", root=tmp_path / "yolo")
    again = ask("yolo", tmp_path / "out", tmp_path / "out" / "data.yaml")
    assert_frame_equal(again.objects, first.objects, check_exact=False)
    assert again.samples.select("path", "split").equals(first.samples.select("path", "split"))
    voc = read_voc(tmp_path / "voc", split="val")
    write_voc(voc, tmp_path / "out_voc")
    images = tmp_path / "voc" / "JPEGImages"
    again = ask("voc", images, tmp_path / "out_voc" / "Annotations", split="val")
    assert again.objects.equals(voc.objects)
    assert again.samples.equals(voc.samples)


def test_boxes_outside_are_cut_off_for_yolo_only(tmp_path: Path) -> None:
    found = read_coco(tmp_path, coco({1: "a.png"}, [annotation(1, 1, (-8, 12, 16, 24))]))
    write_yolo(found, tmp_path / "out", root=tmp_path / "images")
    again = ask("yolo", tmp_path / "out", tmp_path / "out" / "data.yaml")
    assert again.objects.select("x", "y", "w", "h").row(0) == pytest.approx((0, 12, 8, 12))


def test_only_asked_categories_are_written_under_their_new_names(tmp_path: Path) -> None:
    content = coco({1: "a.png"}, [annotation(1, 1, (2, 3, 20, 15)), annotation(2, 1, (1, 1, 9, 9))])
    content["annotations"][1]["category_id"] = 2
    found = read_coco(tmp_path, content, rename={"dog": "animal"}, categories=["animal"])
    written = write_coco(found, tmp_path / "out.json")
    assert (written.objects, written.left_out["other_category"]) == (1, 1)
    again = ask("coco", tmp_path / "images", tmp_path / "out.json")
    assert again.categories.rows() == [(0, "2", "animal", True)]
    assert again.objects["annotation_id"].to_list() == ["2"]


def test_ids_that_cannot_be_kept_are_numbered(tmp_path: Path) -> None:
    found = read_voc(tmp_path)
    write_coco(found, tmp_path / "out.json")
    again = ask("coco", tmp_path / "JPEGImages", tmp_path / "out.json")
    assert again.source_images["image_id"].to_list() == ["1", "2"]
    assert again.objects["annotation_id"].to_list() == ["1", "2", "3"]
    assert again.objects.select(BOXES).equals(found.objects.select(BOXES))


def test_images_that_would_share_a_file_and_names_that_xml_forbids_are_reported(
    tmp_path: Path,
) -> None:
    found = read_coco(tmp_path, coco({1: "a.png"}, [annotation(1, 1, (2, 3, 20, 15))]))
    first = found.samples.with_columns(path=pl.lit("a.jpg"))
    twice = SampleSet(**{**vars(found), "samples": pl.concat([first, found.samples])})
    with pytest.raises(DatasetError, match=r"a\.jpg and a\.png would share"):
        write_voc(twice, tmp_path / "voc")
    (tmp_path / "images" / "a.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"a\.jpg and a\.png would share"):
        write_yolo(twice, tmp_path / "yolo", root=tmp_path / "images")
    bad = found.objects.with_columns(category=pl.lit("\x01"))
    named = found.categories.with_columns(category=pl.lit("\x01"))
    odd = SampleSet(**{**vars(found), "objects": bad, "categories": named})
    with pytest.raises(DatasetError, match="is not valid in XML"):
        write_voc(odd, tmp_path / "voc")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_coco(found, tmp_path / "none" / "out.json")


def test_an_image_without_objects_gets_an_empty_label_file(tmp_path: Path) -> None:
    """Trainers take an image without a label file for one that nobody looked at."""
    truth = coco({1: "a.png", 2: "b.png"}, [annotation(1, 1, (2, 3, 20, 15))])
    write_yolo(read_coco(tmp_path, truth), tmp_path / "yolo", root=tmp_path / "images")
    labels = tmp_path / "yolo" / "labels" / "train"
    assert {file.name: bool(file.read_text()) for file in labels.iterdir()} == {
        "a.txt": True,
        "b.txt": False,
    }
    again = ask("yolo", tmp_path / "yolo", tmp_path / "yolo" / "data.yaml")
    assert again.counts["images_without_label_file"] == 0


def test_an_image_that_is_a_relative_link_is_written_as_the_file(tmp_path: Path) -> None:
    found = read_coco(tmp_path, coco({1: "a.png"}, [annotation(1, 1, (2, 3, 20, 15))]))
    (tmp_path / "images" / "a.png").rename(tmp_path / "moved.png")
    (tmp_path / "images" / "a.png").symlink_to("../moved.png")
    write_yolo(found, tmp_path / "yolo", root=tmp_path / "images")
    written = tmp_path / "yolo" / "images" / "train" / "a.png"
    assert written.read_bytes() == (tmp_path / "moved.png").read_bytes()


@pytest.mark.skipif(not (SHARED / "coco_mini").is_dir(), reason=NO_SHARED)
def test_real_annotations_survive_every_format(tmp_path: Path) -> None:
    folder = SHARED / "coco_mini"
    images = folder / "val2017"
    first = ask("coco", images, folder / "annotations" / "instances_val2017.json", split="val")
    write_coco(first, tmp_path / "out.json")
    assert ask("coco", images, tmp_path / "out.json").objects.equals(first.objects)
    write_voc(first, tmp_path / "voc")
    again = ask("voc", images, tmp_path / "voc" / "Annotations", split="val")
    assert_frame_equal(boxes(again), boxes(first), check_exact=False)
    write_yolo(first, tmp_path / "yolo", root=images)
    again = ask("yolo", tmp_path / "yolo", tmp_path / "yolo" / "data.yaml", split="val")
    assert again.objects.height == first.objects.filter(~pl.col("crowd")).height
