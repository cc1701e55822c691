"""What a detector's outcomes are needed for later, and detections of which none counts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.flows.command import call

CONFIG = """\
name = "boxes"
[dataset]
format = "coco"
annotations = "truth.json"
images = "images"
sample = "object"
[attributes]
use = ["object/truncated"]
[[systems]]
name = "finder"
format = "coco-detections"
predictions = "found.json"
error = "miss"
min_score = 0.5
[fairness]
attributes = ["truncated"]
"""
pytestmark = [
    pytest.mark.xdist_group("prefect"),
    pytest.mark.usefixtures("prefect_server"),
]


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    """Three images with a box each, and detections whose scores are too low to count."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(5)
    numbers = range(1, 4)
    for number in numbers:
        pixels = rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
    boxes = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [10 * n, 5, 30, 40]} for n in numbers
    ]
    truth = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 80, "height": 60} for n in numbers],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": boxes,
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "found.json").write_text(json.dumps([{**box, "score": 0.4} for box in boxes]))
    (tmp_path / "audit.toml").write_text(CONFIG)
    return tmp_path / "audit.toml"


def test_detections_of_which_none_counts_are_warned_of(
    audit: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert call("score", audit).code == 0
    assert "finder: none of its 3 detections counts (3 below min_score, " in caplog.text
    caplog.clear()
    audit.write_text(CONFIG.replace("0.5", "0.1"))
    assert call("score", audit).code == 0
    assert "none of its" not in caplog.text


def test_groups_and_findings_without_the_outcomes_of_a_detector_are_refused(audit: Path) -> None:
    assert call("run", audit).code == 0
    shutil.rmtree(audit.parent / "workspace" / "outcomes")
    for command in ("fairness", "find"):
        told = call(command, audit)
        assert told.code == 1
        assert "matches of finder are not there; run `weakspot score` first" in told.err
    assert call("score", audit).code == 0
    assert call("fairness", audit).code == 0
