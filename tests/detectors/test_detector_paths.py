"""The paths in the name of a detector are relative to the audit file, as all paths of it."""

from pathlib import Path

import pytest

from pipeline.config.audit import read_audit

AUDIT = """\
name = "audit"
[dataset]
format = "folder"
images = "images"
sample = "object"
[dataset.boxes]
detector = "NAME"
[attributes]
use = ["image/brightness"]
[[systems]]
name = "system"
format = "table"
predictions = "errors.csv"
error = "loss"
"""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("hog-people", "hog-people"),
        ("torchvision:fasterrcnn_resnet50_fpn_v2", "torchvision:fasterrcnn_resnet50_fpn_v2"),
        ("torchvision:ssd300_vgg16:mine.pth", "torchvision:ssd300_vgg16:{here}/mine.pth"),
        ("torchvision:ssd300_vgg16:/w/mine.pth", "torchvision:ssd300_vgg16:/w/mine.pth"),
        ("transformers:../detr", "transformers:{above}/detr"),
        ("transformers:a:b", "transformers:{here}/a:b"),
        ("transformers:", "transformers:"),
    ],
)
def test_a_path_is_relative_to_the_audit(written: str, read: str, tmp_path: Path) -> None:
    (tmp_path / "audit.toml").write_text(AUDIT.replace("NAME", written))
    boxes = read_audit(tmp_path / "audit.toml").dataset.boxes
    assert boxes is not None
    assert boxes.detector == read.format(here=tmp_path, above=tmp_path.parent)
