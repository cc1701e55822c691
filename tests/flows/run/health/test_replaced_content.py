"""Content replaced with size and time of change kept: it is noticed, and `--rehash` forces it."""

import os
import shutil
from pathlib import Path

import pytest

from flows.run.audit import execute_audit
from flows.run.runner import DirectRunner
from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import weights_stamp
from pipeline.files.whole_files import read_parquet, write_parquet
from pipeline.workspace.store import find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit


@pytest.fixture
def audit(tmp_path: Path) -> SmallAudit:
    made = write_audit(tmp_path, count=24)
    for image in made.images.iterdir():  # all of one size, so that size says nothing
        image.write_bytes(image.read_bytes().ljust(4096, b"\0"))
    return made


def replace_keeping_times(image: Path, other: Path) -> None:
    status = image.stat()
    assert status.st_size == other.stat().st_size
    image.write_bytes(other.read_bytes())
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert image.stat().st_mtime_ns == status.st_mtime_ns


def find_key(audit: SmallAudit, path: str) -> str:
    samples = find_store(audit.folder / "workspace").read_samples()
    return str(dict(samples.select("path", "content_key").iter_rows())[path])


def test_an_image_replaced_with_size_and_mtime_kept_is_embedded_again(audit: SmallAudit) -> None:
    run_directly(audit.config, ["embed"])
    before = find_key(audit, "0000.png")
    replace_keeping_times(audit.images / "0000.png", audit.images / "0003.png")
    run_directly(audit.config, ["embed"])
    assert find_key(audit, "0000.png") == find_key(audit, "0003.png") != before


def test_an_unchanged_image_is_not_opened_again(audit: SmallAudit) -> None:
    run_directly(audit.config, ["embed"])
    again = run_directly(audit.config, ["embed"])
    assert again.counts["images_embedded"] == 0
    manifest = (audit.folder / "workspace" / "manifests" / "samples.json").read_text()
    assert '"files_hashed":0' in manifest.replace(" ", "")


def test_rehash_opens_what_seems_unchanged(audit: SmallAudit) -> None:
    run_directly(audit.config, ["embed"])
    before = find_key(audit, "0000.png")
    replace_keeping_times(audit.images / "0000.png", audit.images / "0003.png")
    stamps = audit.folder / "workspace" / "dataset" / "stamps.parquet"
    status = (audit.images / "0000.png").stat()
    kept = read_parquet(stamps).to_dicts()  # as on a file system that keeps no ctime
    for row in kept:
        if row["path"] == "0000.png":
            row.update(ctime=status.st_ctime_ns, inode=status.st_ino)
    write_parquet(type(read_parquet(stamps))(kept), stamps)
    run_directly(audit.config, ["embed"])
    assert find_key(audit, "0000.png") == before
    execute_audit(audit.config, DirectRunner(), stages=["embed"], rehash=True)
    assert find_key(audit, "0000.png") == find_key(audit, "0003.png")
    assert len(list((audit.folder / "workspace" / "embeddings").glob("*/encoder.json"))) == 1


def test_a_workspace_of_an_earlier_version_is_hashed_once_more(audit: SmallAudit) -> None:
    run_directly(audit.config, ["embed"])
    (audit.folder / "workspace" / "dataset" / "stamps.parquet").unlink()
    assert run_directly(audit.config, ["embed"]).counts["images_embedded"] == 0
    manifest = (audit.folder / "workspace" / "manifests" / "samples.json").read_text()
    assert '"files_hashed":24' in manifest.replace(" ", "")


def test_weights_replaced_with_size_and_mtime_kept_have_another_stamp(audit: SmallAudit) -> None:
    config = EncoderConfig(model=f"local-dir:{audit.folder / 'tiny'}")
    before = weights_stamp(config)
    copy = audit.weights.with_suffix(".copy")
    shutil.copy2(audit.weights, copy)
    status = audit.weights.stat()
    copy.replace(audit.weights)
    os.utime(audit.weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = weights_stamp(config)
    assert before is not None
    assert after is not None
    assert after[:2] == before[:2]
    assert after != before
