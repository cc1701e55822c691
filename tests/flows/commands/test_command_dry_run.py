"""`weakspot run --dry-run`: everything is checked and counted, nothing is written."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.flows.command import call
from tests.flows.small_audit import SmallAudit, write_audit

COUNTS = {"samples", "rejects", "attributes", "errors", "samples_without_error",
          "errors_without_sample", "to_embed", "to_measure"}  # fmt: skip


@pytest.fixture
def audit(tmp_path: Path) -> SmallAudit:
    return write_audit(tmp_path, count=24)


def fingerprint(folder: Path) -> dict[str, str]:
    """Return every file and folder with the hash of what it holds."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes() if path.is_file() else b""
        ).hexdigest()
        for path in folder.rglob("*")
    }


def test_counts_seconds_and_disk_are_told_as_one_json_object(audit: SmallAudit) -> None:
    (audit.images / "broken.png").write_text("no image", encoding="utf-8")
    errors = audit.folder / "errors.csv"
    rows = errors.read_text().replace("0003.png,0\n", "") + "absent.png,1\n"
    errors.write_text(rows)
    told = call("run", audit.config, "--dry-run", "--json")
    assert told.code == 0, told.err
    content = json.loads(told.out)
    assert set(content) == {"counts", "seconds", "disk_bytes", "problems", "systems", "mappings"}
    assert set(content["counts"]) == COUNTS
    assert content["counts"] == {
        "samples": 24, "rejects": 1, "attributes": 3, "errors": 23, "samples_without_error": 1,
        "errors_without_sample": 1, "to_embed": 24, "to_measure": 0,
    }  # fmt: skip
    assert content["seconds"] > 0
    assert content["disk_bytes"] > 24 * 16 * 2  # vectors of 16 half-precision numbers, and labels
    assert len(content["problems"]) == 1
    assert content["problems"][0].startswith("rejected: broken.png: ")


def test_a_person_reads_the_same_in_lines(audit: SmallAudit) -> None:
    told = call("run", audit.config, "--dry-run", "--limit", 5)
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert {"samples: 5", "rejects: 0", "attributes: 3", "to embed: 5"} <= set(lines)
    assert any(line.startswith("embedding what is missing: about ") for line in lines)
    assert any(line.startswith("disk for it: about ") for line in lines)


def test_nothing_is_written(audit: SmallAudit) -> None:
    before = fingerprint(audit.folder)
    assert call("run", audit.config, "--dry-run").code == 0
    assert fingerprint(audit.folder) == before
    (audit.folder / "workspace").mkdir()
    assert call("run", audit.config, "--dry-run").code == 0
    assert list((audit.folder / "workspace").iterdir()) == []


@pytest.mark.parametrize("asked", [("run", "--dry-run"), ("run",), ("embed",)])
def test_a_folder_that_cannot_be_made_is_told_before_anything_starts(
    audit: SmallAudit, asked: tuple[str, ...]
) -> None:
    (audit.folder / "workspace").write_text("a file", encoding="utf-8")
    audit.config.write_text(audit.config.read_text() + '[report]\nfolder = "errors.csv/report"\n')
    told = call(asked[0], audit.config, *asked[1:])
    assert (told.code, told.out) == (2, "")
    assert f"error: {audit.config}: 2 problems" in told.err
    assert f"workspace {audit.folder / 'workspace'}: " in told.err
    assert f"[report] folder {audit.folder / 'errors.csv' / 'report'}: " in told.err
    assert "starting Prefect" not in told.err


def test_inputs_that_are_missing_are_told_with_exit_code_2(audit: SmallAudit) -> None:
    (audit.folder / "errors.csv").unlink()
    told = call("run", audit.config, "--dry-run", "--json")
    assert (told.code, told.out) == (2, "")
    assert str(audit.folder / "errors.csv") in told.err
    audit.images.rename(audit.folder / "elsewhere")
    told = call("run", audit.config, "--dry-run")
    assert (told.code, told.out) == (2, "")
    assert str(audit.images) in told.err


def test_an_attribute_file_that_is_missing_is_told_with_exit_code_2(audit: SmallAudit) -> None:
    audit.edit("mine/tone.toml", "mine/tome.toml")
    told = call("run", audit.config, "--dry-run")
    assert (told.code, told.out) == (2, "")
    assert "tome.toml" in told.err


def test_a_model_that_is_missing_is_told_with_exit_code_1(audit: SmallAudit) -> None:
    audit.edit("local-dir:tiny", "local-dir:nowhere")
    told = call("run", audit.config, "--dry-run")
    assert (told.code, told.out) == (1, "")
    assert "nowhere" in told.err
