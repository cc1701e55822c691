"""`weakspot export WORKSPACE fiftyone FOLDER`: documents as FiftyOne reads them."""

import json
from pathlib import Path

import pytest

from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow  # whole audits


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("fiftyone"))
    run_directly(audit.config)
    return audit


def test_images_with_labels_errors_and_findings(audit: SmallAudit, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    told = call("export", audit.folder / "workspace", "fiftyone", folder)
    assert (told.code, told.out) == (0, f"wrote 160 images to {folder}\n"), told.err
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    assert json.loads((folder / "metadata.json").read_text())["media_type"] == "image"
    first = samples[0]
    assert Path(first["filepath"]).is_file()
    assert first["tone"]["_cls"] == "Classification"
    assert first["tone"]["label"] in {"dark", "light", "unknown"}
    assert 0 <= first["tone"]["confidence"] <= 1
    assert first["error_system"] == 1.0
    inside = [one for one in samples if "finding 1 of system" in one["tags"]]
    assert inside
    assert {one["error_system"] for one in inside} == {1.0}
    again = call("export", audit.folder / "workspace", "fiftyone", folder)
    assert again.code == 0, again.err


def test_a_folder_of_something_else_is_left_alone(audit: SmallAudit, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    told = call("export", audit.folder / "workspace", "fiftyone", tmp_path)
    assert told.code == 2
    assert "there are other files" in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
