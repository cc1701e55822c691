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
        assert f"error '{error}' is not one of images" in complaint(tmp_path, by_image)


@pytest.mark.parametrize("error", ["misses", "false-positives", "f1-loss"])
def test_errors_of_images_are_for_images(tmp_path: Path, error: str) -> None:
    text = OBJECTS.replace('"miss"', f'"{error}"')
    assert f"error '{error}' is not one of objects" in complaint(tmp_path, text)
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


SECOND = """\
[[systems]]
name = "losses"
format = "table"
predictions = "errors.csv"
error = "log-loss"
"""


def test_gates_may_have_a_limit_for_each_system(tmp_path: Path) -> None:
    text = (
        OBJECTS
        + SECOND
        + "[gates]\nmax_gap = {hog = 0.05, losses = 0.2}\n[gates.max_error]\nhog = 0.1"
    )
    gates = read_audit(write(tmp_path, text)).gates
    assert gates is not None
    assert (gates.gap_of("hog"), gates.gap_of("losses")) == (0.05, 0.2)
    assert (gates.error_of("hog"), gates.error_of("losses")) == (0.1, None)
    shared = read_audit(write(tmp_path, OBJECTS + "[gates]\nmax_gap = 0.1\n")).gates
    assert shared is not None
    assert (shared.gap_of("hog"), shared.error_of("hog")) == (0.1, None)


@pytest.mark.parametrize("key", ["max_gap", "max_error"])
def test_one_limit_for_errors_in_different_units_is_refused(tmp_path: Path, key: str) -> None:
    said = complaint(tmp_path, OBJECTS + SECOND + f"[gates]\n{key} = 0.1\n")
    assert f"gates.{key}: one limit for errors in different units" in said
    assert "hog in shares, losses in column 'log-loss'" in said
    assert f"{key} = {{hog = 0.1, losses = 0.1}}" in said


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ("max_gap = {hogg = 0.1}", "no system is called 'hogg'; did you mean 'hog'?"),
        ("max_error = {hog = 0}", "expected a number greater than 0"),
        ('max_error = "much"', "expected a number greater than 0"),
        ("max_gap = true", "expected a number greater than 0"),
        ("attributes = []", "give max_gap, max_error or max_probe_shift"),
    ],
)
def test_faulty_limits_are_reported(tmp_path: Path, limits: str, shown: str) -> None:
    assert shown in complaint(tmp_path, OBJECTS + f"[gates]\n{limits}\n")
