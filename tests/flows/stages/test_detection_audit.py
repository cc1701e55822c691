"""An audit of detections: crops of what a detector saw, their error whether it is there."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipeline.exceptions import DatasetError
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import TONE
from tests.tiny_clip import write_tiny

pytestmark = pytest.mark.slow  # whole audits

CONFIG = """\
name = "boxes"
[dataset]
format = "coco"
annotations = "truth.json"
images = "images"
sample = "detection"
[encoder]
model = "local-dir:tiny"
[attributes]
use = ["tone.toml", "object/height", "image/contrast"]
given = ["category"]
[[systems]]
name = "finder"
format = "coco-detections"
predictions = "found.json"
error = "false-positive"
[slices]
max_level = 2
min_support = 5
"""
SIDE = 40
IMAGES = 30


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """In each image a true box that is found; in each second one a small false positive too."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(5)
    images, objects, found = [], [], []
    for number in range(1, IMAGES + 1):
        name = f"{number:02}.png"
        pixels = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / name)
        images.append({"id": number, "file_name": name, "width": 160, "height": 120})
        box = {"image_id": number, "category_id": 1, "bbox": [5, 5, SIDE, 80]}
        objects.append({**box, "id": number})
        if number > 1:  # the object of the first image is missed
            found.append({**box, "score": 0.9})
        if number % 2:
            found.append({**box, "bbox": [100, 60, 20, 20], "score": 0.4 + number / 100})
    objects.append({"id": 99, "image_id": 2, "category_id": 1, "bbox": [90, 5, 60, 60],
                    "iscrowd": 1})  # fmt: skip
    found.append({"image_id": 2, "category_id": 1, "bbox": [95, 10, 20, 20], "score": 0.7})
    found.append({"image_id": 2, "category_id": 1, "bbox": [95, 10, 0, 20], "score": 0.7})
    truth = {"images": images, "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "x"}],
             "annotations": objects}  # fmt: skip
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "found.json").write_text(json.dumps(found))
    (tmp_path / "tone.toml").write_text(TONE.replace('"image"', '"object"'))
    write_tiny(tmp_path / "tiny")
    (tmp_path / "audit.toml").write_text(CONFIG)
    return tmp_path / "audit.toml"


def test_false_positives_are_samples_with_errors_labels_findings_and_pictures(
    config: Path,
) -> None:
    summary = run_directly(config)
    _, store = open_audit(config)
    right, wrong = IMAGES - 1, IMAGES // 2
    assert summary.counts["samples"] == right + wrong + 1
    errors = store.read("errors").join(store.read_samples(), on="sample_id")
    assert errors["error"].to_list().count(1.0) == wrong
    assert errors.height == right + wrong  # the detection of the crowd has none
    assert set(errors.filter(pl.col("error") == 1)["h"]) == {20.0}
    first = summary.findings[0]
    assert first["predicates"] == [{"attribute": "height", "value": "<= 32"}]
    assert (first["error"], first["rest_error"], first["state"]) == (1.0, 0.0, "confirmed")
    tones = store.read("labels").filter(pl.col("attribute") == "tone")
    assert tones.height == right + wrong + 1
    rejects = store.read("rejects")["reason"].to_list()
    assert len(rejects) == 1
    assert "the box is 0" in rejects[0]
    page = read_report(summary.report)
    assert page.count('class="open"') >= 8
    assert "False: the detection is on no object of its category" in page
    assert "Average precision" in page


def test_all_images_count_for_the_detector_as_a_whole(config: Path, tmp_path: Path) -> None:
    run_directly(config, ["score"])
    done = call("export", tmp_path / "workspace", "relabel", tmp_path / "relabel.json")
    assert (done.code, done.err) == (0, "")
    listed = json.loads((tmp_path / "relabel.json").read_text())
    assert [row["path"] for row in listed if row["reason"] == "not found"] == ["01.png"]


def test_what_looks_like_an_unlabelled_object_has_its_likeness_to_found_ones(
    config: Path, tmp_path: Path
) -> None:
    found = json.loads((tmp_path / "found.json").read_text())
    sure = {"image_id": 7, "category_id": 1, "bbox": [100, 5, 30, 30], "score": 0.95}
    (tmp_path / "found.json").write_text(json.dumps([*found, sure]))
    run_directly(config)
    done = call("export", tmp_path / "workspace", "relabel", tmp_path / "relabel.json")
    assert (done.code, done.err) == (0, "")
    listed = json.loads((tmp_path / "relabel.json").read_text())
    first = listed[0]
    assert (first["reason"], first["path"], first["score"]) == ("unlabelled object", "07.png", 0.95)
    assert -1 <= first["likeness"] <= 1


def test_a_second_run_does_nothing_and_a_limit_takes_the_first_detections(config: Path) -> None:
    run_directly(config)
    again = run_directly(config)
    assert (again.counts["images_embedded"], again.counts["samples_labelled"]) == (0, 0)
    some = run_directly(config, ["embed"], limit=7)
    assert some.counts["samples"] == 7


def test_groups_of_detections_can_be_compared(config: Path) -> None:
    config.write_text(CONFIG + '[fairness]\nattributes = ["height"]\nmin_group = 5\n')
    summary = run_directly(config)
    assert {gap["metric"] for gap in summary.gaps} == {"error"}


def test_crowding_is_among_detections_so_that_true_boxes_give_no_error_away(config: Path) -> None:
    config.write_text(CONFIG.replace('"tone.toml", "object/height"', '"object/crowding"'))
    run_directly(config, ["embed", "label"])
    _, store = open_audit(config)
    labels = store.read("labels").filter(pl.col("attribute") == "crowding")
    assert set(labels["value"]) == {"up to 10 %"}


def test_the_dry_run_knows_of_detections(config: Path) -> None:
    done = call("run", config, "--dry-run")
    assert done.code == 0
    assert f"samples: {IMAGES - 1 + IMAGES // 2 + 1}" in done.out


def test_without_a_detection_that_counts_there_is_no_sample(config: Path) -> None:
    config.write_text(CONFIG.replace("[slices]", "min_score = 2\n[slices]"))
    with pytest.raises(DatasetError, match="none of the 0 detections that count"):
        run_directly(config, ["embed"])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('format = "coco"\nannotations = "truth.json"', 'format = "folder"', "true boxes"),
        ('"false-positive"', '"miss"', "'miss' is not one of detections"),
        ('format = "coco-detections"', 'format = "table"', "detections of one system"),
        ('sample = "detection"', 'sample = "object"', "is not one of objects"),
    ],
)
def test_what_cannot_be_an_audit_of_detections_is_refused(
    config: Path, old: str, new: str, reason: str
) -> None:
    config.write_text(CONFIG.replace(old, new))
    done = call("run", config, "--dry-run")
    assert done.code == 2
    assert reason in done.err
