"""audit.toml on objects, groups, gates and the domain: what can be asked and what cannot."""

from pathlib import Path

import pytest

from pipeline.config.audit import read_audit
from pipeline.exceptions import ConfigError

OBJECTS = """\
name = "people"
[dataset]
format = "coco"
annotations = "people.json"
images = "images"
sample = "object"
[attributes]
use = ["object/height"]
[[systems]]
name = "hog"
format = "coco-detections"
predictions = "hog.json"
error = "miss"
"""
FOLDER = """\
name = "faces"
[dataset]
format = "folder"
images = "images"
[attributes]
use = ["object/height"]
[[systems]]
name = "table"
format = "table"
predictions = "errors.csv"
error = "loss"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "audit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_audit(write(folder, text))
    return str(caught.value)


@pytest.mark.parametrize("error", ["miss", "iou-loss", "score-loss", "wrong-class", "duplicates"])
def test_errors_of_objects_are_for_objects(tmp_path: Path, error: str) -> None:
    text = OBJECTS.replace('"miss"', f'"{error}"')
    assert read_audit(write(tmp_path, text)).systems[0].error == error
    if error != "miss":
        by_image = text.replace('sample = "object"', 'sample = "image"')
        assert f"error '{error}' is not one of an image" in complaint(tmp_path, by_image)


@pytest.mark.parametrize("error", ["misses", "false-positives", "f1-loss"])
def test_errors_of_images_are_for_images(tmp_path: Path, error: str) -> None:
    text = OBJECTS.replace('"miss"', f'"{error}"')
    assert f"error '{error}' is not one of an object" in complaint(tmp_path, text)
    by_image = text.replace('sample = "object"', 'sample = "image"')
    assert read_audit(write(tmp_path, by_image)).systems[0].error == error


def test_objects_need_boxes_from_somewhere(tmp_path: Path) -> None:
    text = FOLDER.replace('format = "folder"', 'format = "folder"\nsample = "object"')
    assert "say in [dataset.boxes]" in complaint(tmp_path, text)
    detected = text.replace(
        "[attributes]", '[dataset.boxes]\ndetector = "hog-people"\n[attributes]'
    )
    boxes = read_audit(write(tmp_path, detected)).dataset.boxes
    assert boxes is not None
    assert boxes.detector == "hog-people"


def test_boxes_come_from_one_place(tmp_path: Path) -> None:
    both = '[dataset.boxes]\ndetector = "hog-people"\ndetections = "boxes.json"\n[attributes]'
    assert "either detections" in complaint(tmp_path, FOLDER.replace("[attributes]", both))
    own = OBJECTS.replace("[attributes]", '[dataset.boxes]\ndetector = "x"\n[attributes]')
    assert "has boxes of its own" in complaint(tmp_path, own)


def test_detections_need_true_boxes(tmp_path: Path) -> None:
    text = FOLDER.replace('"table"\npredictions', '"coco-detections"\npredictions')
    text = text.replace('"loss"', '"miss"')
    assert "needs a dataset with true boxes" in complaint(tmp_path, text)


def test_gates_and_fairness_have_their_defaults(tmp_path: Path) -> None:
    audit = read_audit(write(tmp_path, OBJECTS + "[gates]\nmax_gap = 0.1\n[fairness]\n"))
    assert audit.gates is not None
    assert audit.gates.min_group == 50
    assert audit.fairness is not None
    assert audit.fairness.max_level == 2
    assert read_audit(write(tmp_path, OBJECTS)).gates is None


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        ("[gates]\nmax_gap = 0\n", "greater than 0"),
        ("[gates]\nmin_group = 50\n", "max_gap"),
        ("[gates]\nmax_gap = 0.1\nmin_gruop = 5\n", "did you mean 'min_group'"),
        ("[fairness]\nmax_level = 3\n", "less than or equal to 2"),
        ("[domain]\nlevel = 4\n", "less than or equal to 3"),
    ],
)
def test_faults_of_the_sections_are_reported(tmp_path: Path, section: str, shown: str) -> None:
    assert shown in complaint(tmp_path, OBJECTS + section)
