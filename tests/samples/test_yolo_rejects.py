"""Label lines and data.yaml files that cannot be used: rejected or refused with their reason."""

from pathlib import Path

import pytest

from pipeline.exceptions import DatasetError
from pipeline.samples.read import read_samples
from tests.samples.datasets import write_images
from tests.samples.yolo_folder import LABELS, ask_yolo, read_yolo, write_yolo_folder

BAD_LINES = [
    ("0 0.5 0.5 0.5", "has 4 values, expected class cx cy w h"),
    ("0 0.5 0.5 0.5 0.5 0.9", "has 6 values, expected"),
    ("0 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "has 8 values, expected"),
    ("0 0.5 0.5 -0.5 0.5", "the box is -0.5 x 0.5 of the image, expected sides above 0"),
    ("0 0.5 0.5 0.5 0", "the box is 0.5 x 0.0 of the image"),
    ("0 nan 0.5 0.5 0.5", "is not made of finite numbers"),
    ("0 0.5 inf 0.5 0.5", "is not made of finite numbers"),
    ("0 0.5 1e999 0.5 0.5", "is not made of finite numbers"),
    ("0 0.5 x 0.5 0.5", "'0 0.5 x 0.5 0.5' is not made of finite numbers"),
    ("0 0.1 0.1 0.2 0.1 0.2 y", "is not made of finite numbers"),
    ("0 0.1 0.1 0.1 0.2 0.1 0.3", "the box is 0.0 x"),
    ("0 160 120 32 24", "lies outside the image: expected shares from 0 to 1"),
    ("0 1.5 0.5 0.5 0.5", "lies outside the image"),
    ("0 0.1 0.1 0.2 0.1 0.2 7", "lies outside the image"),
    ("2 0.5 0.5 0.5 0.5", "class 2 is not among the names of the data.yaml"),
    ("-1 0.5 0.5 0.5 0.5", "does not start with the index of a class"),
    ("person 0.5 0.5 0.5 0.5", "does not start with the index of a class"),
    ("0.5 0.5 0.5 0.5 0.5", "does not start with the index of a class"),
    ("0 0.5 0.50 0.5 0.5", "repeats line 1"),
    ("\0\x01junk", "has 1 values, expected"),
]


@pytest.mark.parametrize(("line", "shown"), BAD_LINES, ids=[shown for _, shown in BAD_LINES])
@pytest.mark.parametrize("sample", ["image", "object"])
def test_a_bad_line_is_rejected_with_its_reason_and_the_rest_is_read(
    tmp_path: Path, line: str, shown: str, sample: str
) -> None:
    labels = {"train/a": f"0 0.5 0.5 0.5 0.5\n{line}\n"}
    found = read_yolo(tmp_path, labels=labels, sample=sample)
    assert found.objects["annotation_id"].to_list() == ["a:1"]
    path, reason = found.rejects.select("path", "reason").row(0)
    assert path == "images/train/a.png"
    assert reason.startswith("line 2 of its label file: ")
    assert shown in reason


def test_label_files_that_are_no_text_are_rejects(tmp_path: Path) -> None:
    file = write_yolo_folder(tmp_path)
    (tmp_path / "labels" / "train" / "a.txt").write_bytes(b"0 0.5\xff")
    (tmp_path / "labels" / "val" / "c.txt").mkdir(parents=True)
    found = read_samples(ask_yolo(file))
    assert found.rejects.select("path", "reason").rows() == [
        ("images/train/a.png", "its label file cannot be read: byte 5 is not UTF-8"),
        ("images/val/c.png", "its label file cannot be read: Is a directory"),
    ]
    assert found.objects["annotation_id"].to_list() == ["b:1"]


def test_a_line_without_end_is_rejected(tmp_path: Path) -> None:
    labels = {**LABELS, "val/c": "0 0.5 0.5 0.5 0.5\n0" + " 0.5" * 5_000_000}  # 20 MB
    found = read_yolo(tmp_path, labels=labels)
    assert found.objects.height == 4
    assert "longer than 1,000,000 characters" in found.rejects["reason"].item()


def test_missing_and_repeated_images_are_rejects(tmp_path: Path) -> None:
    data = "train: [images/train, images]\nnames: [person, dog]"
    found = read_yolo(tmp_path, data=data)
    assert found.samples.height == 3
    assert found.rejects["path"].to_list() == ["images/train/a.png", "images/train/b.png"]
    assert "which counts" in found.rejects["reason"][0]
    (tmp_path / "t.txt").write_text("images/train/a.png\nimages/train/none.png\n")
    (tmp_path / "labels/train/none.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    found = read_yolo(tmp_path, data="train: t.txt\nnames: [person, dog]", sample="object")
    assert found.rejects.rows() == [("images/train/none.png", "samples", "there is no such file")]
    assert found.counts["objects_of_rejected_images"] == 1


# Each list holds the one before ten times: 10^30 items, if anyone wrote them out.
BOMB = (
    "l0: &l0 x\n"
    + "".join(f"l{n + 1}: &l{n + 1} [{', '.join([f'*l{n}'] * 10)}]\n" for n in range(30))
    + "names: *l30\ntrain: *l30\npath: *l30\n"
)
BAD_FILES = [
    ("", "holds nothing, expected a data.yaml"),
    ("[1, 2]", "holds a list, expected a data.yaml"),
    ("a: [", "is not YAML: line 1 column 5"),
    ("a: \x00", "is not YAML"),
    ("[" * 20_000, "is not YAML: RecursionError"),
    ("a: &a [*a]", "is not YAML: line 1 column 4: found unconstructable recursive node"),
    (BOMB, "names: class 0 is a list, expected a name"),
    ("train: images/train", "names: is missing; expected the names of the classes"),
    ("names: [person, dog]", "names no images; expected train, val, test"),
    ("names: person\ntrain: images/train", "names: is 'person', expected a list"),
    ("names: {a: b}\ntrain: images/train", "names: 'a' is no index of a class"),
    ("names: [[a]]\ntrain: images/train", "names: class 0 is a list, expected a name"),
    ("nc: 3\nnames: [a]\ntrain: images/train", "nc: is 3, but there are 1 names"),
    ("nc: many\nnames: [a]\ntrain: images/train", "nc: is 'many', expected a number of classes"),
    ("names: [a]\ntrain: images/none", "train: there is no folder or list"),
    ("names: [a]\ntrain: {a: b}", "train: is a mapping, expected a folder or a .txt list"),
    (f"names: [a]\ntrain: {'x' * 5000}", "train: there is no folder or list"),
    ("names: [a]\npath: [x]\ntrain: images/train", "path: is a list, expected a folder"),
    ("#" * 2_000_000, "is 2,000,000 bytes long; a data.yaml of class names has a few thousand"),
]


@pytest.mark.parametrize(("data", "shown"), BAD_FILES, ids=[shown for _, shown in BAD_FILES])
def test_a_bad_data_yaml_is_a_clear_error(tmp_path: Path, data: str, shown: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_yolo(tmp_path, data=data)
    assert shown in str(caught.value)
    assert "data.yaml" in str(caught.value)
    assert len(str(caught.value)) < 12_000


def test_a_split_that_is_missing_says_what_to_write(tmp_path: Path) -> None:
    data = "train: images/none\nval: images/val\nnames: [person, dog]"
    with pytest.raises(DatasetError) as caught:
        read_yolo(tmp_path, data=data)
    assert f"train: there is no folder or list {tmp_path / 'images/none'}; " in str(caught.value)
    assert 'read another split alone: e.g. split = "val" in [dataset]' in str(caught.value)
    labels = {"val/c": "0 0.5 0.5 0.5 0.5\n"}
    assert read_yolo(tmp_path, data=data, labels=labels, split="val").samples.height == 1


@pytest.mark.parametrize("val", ["images/train", "./images/train/", "[images/train]"])
def test_equal_splits_say_what_to_write(tmp_path: Path, val: str) -> None:
    data = f"train: images/train\nval: {val}\nnames: [person, dog]"
    with pytest.raises(DatasetError, match=r'val: names the same images as train: .*"train" in'):
        read_yolo(tmp_path, data=data)
    assert read_yolo(tmp_path, data=data, split="train").samples.height == 2
    assert read_yolo(tmp_path, data=data, split="val").samples.height == 2


def test_label_files_without_an_image_are_counted_and_named(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.5 0.5\n"
    labels = {**LABELS, "train/orphan": line, "train/deep/lost": line, "val/C": line}
    labels |= {"train/classes": "person\ndog\n", "train/.hidden": line}
    found = read_yolo(tmp_path, labels=labels)
    assert found.counts["label_files_without_image"] == 3
    none = "is the label file of no image: no image has its name"
    assert found.rejects.select("path", "reason").rows() == [
        ("labels/train/deep/lost.txt", none),
        ("labels/train/orphan.txt", none),
        (
            "labels/val/C.txt",
            "differs in upper and lower case from the name of its image; rename one of them",
        ),
    ]


def test_label_files_of_another_split_are_no_rejects(tmp_path: Path) -> None:
    """Label files of all splits may lie in one folder; a list names the images of each."""
    data = "train: t.txt\nval: v.txt\nnames: [person, dog]"
    line = "0 0.5 0.5 0.5 0.5\n"
    file = write_yolo_folder(tmp_path, data=data, labels={"a": line, "b": line, "gone": line})
    write_images(tmp_path / "images", ["a.png", "b.JPG"])
    (tmp_path / "t.txt").write_text("./images/a.png\n")
    (tmp_path / "v.txt").write_text("./images/b.JPG\n")
    for split in ("train", "val"):
        found = read_samples(ask_yolo(file, split=split))
        assert found.rejects["path"].to_list() == ["labels/gone.txt"]


def test_lists_beside_images_and_labels_are_no_label_files(tmp_path: Path) -> None:
    write_images(tmp_path, ["a.png"])
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "train.txt").write_text("./a.png\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nnames: [person]")
    assert read_samples(ask_yolo(tmp_path / "data.yaml")).rejects.is_empty()


def test_every_fault_of_a_data_yaml_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="3 problems"):
        read_yolo(tmp_path, data="nc: x\ntrain: none")


def test_data_without_labels_or_files_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none of the 3 images has a label file; .*a\.txt"):
        read_yolo(tmp_path, labels={})
    with pytest.raises(DatasetError, match="there is no split 'valid'; did you mean 'val'"):
        read_yolo(tmp_path, split="valid")
    with pytest.raises(DatasetError, match="names no images; expected test"):
        read_yolo(tmp_path, split="test")
    with pytest.raises(DatasetError, match="there is no such file"):
        read_samples(ask_yolo(tmp_path / "none.yaml"))
    (tmp_path / "data.yaml").write_bytes(b"names: \xff")
    with pytest.raises(DatasetError, match="byte 7 is not UTF-8"):
        read_samples(ask_yolo(tmp_path / "data.yaml"))
    write_images(tmp_path, ["x.png"])
    with pytest.raises(DatasetError, match=r"is not YAML"):
        read_samples(ask_yolo(tmp_path / "x.png"))
