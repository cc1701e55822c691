"""An audit whose images, tables and shards are on an S3 server equals one on the disk."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import polars as pl
import pytest

from flows.run.audit import execute_audit
from flows.run.health.failures import MachineError
from flows.run.runner import DirectRunner
from flows.stages.embed import embed_shard
from pipeline.files.remote_path import forget_storage
from pipeline.workspace.integrity.shard_copies import locate_copies
from pipeline.workspace.store import find_store
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.s3_server import BUCKET, S3Server, serve_s3
from tests.flows.small_audit import SmallAudit, write_audit

P = ParamSpec("P")
R = TypeVar("R")
STAGES = ("embed", "label", "score")
TABLES = ("samples", "labels", "errors", "rejects")


@pytest.fixture
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serve_s3(tmp_path_factory.mktemp("cache")) as server:
        yield server


@pytest.fixture
def both(s3: S3Server, tmp_path: Path) -> tuple[SmallAudit, SmallAudit]:
    """Return the same small audit on the disk, and with all that it reads on the server."""
    (tmp_path / "disk").mkdir()
    disk = write_audit(tmp_path / "disk", count=48)
    away = SmallAudit(tmp_path / "away")
    shutil.copytree(disk.folder, away.folder)
    s3.put_folder(disk.images, "data/images")
    s3.locate("data/errors.csv").write_bytes((disk.folder / "errors.csv").read_bytes())
    away.edit('images = "images"', f'images = "s3://{BUCKET}/data/images"')
    away.edit('"errors.csv"', f'"s3://{BUCKET}/data/errors.csv"')
    away.edit('name = "small"', f'name = "small"\nshards = "s3://{BUCKET}/work"')
    away.edit('tiny"\n', 'tiny"\nshard_size = 16\n')
    shutil.rmtree(away.images)
    return disk, away


def read_tables(audit: SmallAudit) -> dict[str, pl.DataFrame]:
    """Return the tables without the times of files, and without ids of paths."""
    store = find_store(audit.folder / "workspace")
    drop = ("mtime", "error_id")
    return {name: store.read(name).drop(drop, strict=False) for name in TABLES}


def same(first: dict[str, pl.DataFrame], second: dict[str, pl.DataFrame]) -> bool:
    return all(first[name].sort(pl.all()).equals(second[name].sort(pl.all())) for name in TABLES)


@pytest.mark.slow
def test_tables_of_an_audit_on_s3_are_those_of_one_on_the_disk(
    s3: S3Server, both: tuple[SmallAudit, SmallAudit]
) -> None:
    disk, away = both
    run_directly(disk.config, STAGES)
    made = run_directly(away.config, STAGES)
    assert made.counts["images_embedded"] == 48
    assert same(read_tables(disk), read_tables(away))
    assert len(list(s3.locate("work/embeddings").glob("*/*.parquet"))) == 3
    assert not (away.folder / "workspace" / "embeddings").exists()
    again = run_directly(away.config, STAGES)
    assert again.counts["images_embedded"] == 0
    assert again.counts["samples_labelled"] == 0


@pytest.mark.endurance
@pytest.mark.slow
def test_an_object_replaced_with_its_size_kept_is_embedded_again(
    s3: S3Server, both: tuple[SmallAudit, SmallAudit]
) -> None:
    _, away = both
    run_directly(away.config, ["embed"])
    first, second = (s3.locate(f"data/images/{name}.png") for name in ("0000", "0001"))
    first.write_bytes(second.read_bytes())
    s3.locate("data/images/0002.png").unlink()
    s3.locate("data/images/0003.png").write_bytes(b"no image")
    made = run_directly(away.config, ["embed"])
    assert made.counts["images_embedded"] == 0  # its new content has a vector already
    samples = find_store(away.folder / "workspace").read_samples()
    keys = dict(samples.select("path", "content_key").iter_rows())
    assert keys["0000.png"] == keys["0001.png"]
    assert "0002.png" not in keys
    rejects = find_store(away.folder / "workspace").read("rejects")
    assert rejects["path"].to_list() == ["0003.png"]
    assert "no image" in rejects["reason"][0]


@pytest.mark.slow
def test_a_damaged_shard_is_made_again_and_a_damaged_copy_fetched_again(
    s3: S3Server, both: tuple[SmallAudit, SmallAudit]
) -> None:
    _, away = both
    run_directly(away.config, STAGES)
    before = read_tables(away)
    cache = locate_copies()
    copy, *_ = sorted(cache.rglob("embeddings/*/*.parquet"))
    copy.write_bytes(copy.read_bytes()[:-1])
    assert "shards_remade" not in run_directly(away.config, STAGES).counts
    shard, *_ = s3.locate("work/embeddings").glob("*/*.parquet")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    shutil.rmtree(cache)  # as another machine has it
    found = call("doctor", away.folder / "workspace")
    assert found.code == 1
    assert str(shard) in found.out
    made = run_directly(away.config, STAGES)
    assert made.counts["shards_remade"] == 1
    assert made.counts["images_embedded"] == 16
    assert shard.read_bytes() == whole
    assert same(before, read_tables(away))


@pytest.mark.endurance
@pytest.mark.slow
def test_shards_move_when_the_audit_names_another_place(
    s3: S3Server, both: tuple[SmallAudit, SmallAudit]
) -> None:
    _, away = both
    away.edit(f'shards = "s3://{BUCKET}/work"', "")
    run_directly(away.config, STAGES)
    local = away.folder / "workspace" / "embeddings"
    names = sorted(path.name for path in local.rglob("*.parquet"))
    for place in (f'shards = "s3://{BUCKET}/other"', 'shards = "elsewhere"', ""):
        away.edit('name = "small"\n', f'name = "small"\n{place}\n')
        assert run_directly(away.config, STAGES).counts["images_embedded"] == 0
        if place:
            away.edit(f"{place}\n", "")
            assert not local.exists()
    assert sorted(path.name for path in local.rglob("*.parquet")) == names
    assert list(s3.locate("other").rglob("*")) == []
    assert list((away.folder / "elsewhere").rglob("*.parquet")) == []


class StoppingRunner(DirectRunner):
    """Stops the server after the first shard is embedded."""

    def __init__(self, server: S3Server) -> None:
        self.server = server

    def run_task(self, task: Callable[P, R], /, *arguments: P.args, **options: P.kwargs) -> R:
        made = task(*arguments, **options)
        if task is embed_shard:
            self.server.stop()
        return made


@pytest.mark.slow
def test_a_server_that_goes_midway_is_one_line_and_what_was_made_is_kept(
    s3: S3Server, both: tuple[SmallAudit, SmallAudit]
) -> None:
    disk, away = both
    with pytest.raises(MachineError, match="what was computed is kept") as caught:
        execute_audit(away.config, StoppingRunner(s3), stages=STAGES)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("embed: s3://audits/")
    s3.start()
    made = run_directly(away.config, STAGES)
    assert made.counts["images_embedded"] == 32
    run_directly(disk.config, STAGES)
    assert same(read_tables(disk), read_tables(away))


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (f"s3://{BUCKET}/absent", f"dataset.images s3://{BUCKET}/absent: there is no such folder"),
        ("s3://nobucket/images", "s3://nobucket/images: there is no bucket 'nobucket'"),
        ("ftp://server/images", "storage ftp:// is not known; known: s3://, gs://"),
        ("s3://", "names no bucket"),
        (f"s3://{BUCKET}/a/../b", '".." are no folders'),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line(
    both: tuple[SmallAudit, SmallAudit], images: str, expected: str
) -> None:
    _, away = both
    away.edit(f"s3://{BUCKET}/data/images", images)
    told = call("run", away.config, "--no-prefect")
    assert told.code in (1, 2)
    assert expected in told.err
    assert "Traceback" not in told.err


def test_a_workspace_on_other_storage_and_a_yolo_dataset_there_are_refused(
    both: tuple[SmallAudit, SmallAudit],
) -> None:
    _, away = both
    away.edit('name = "small"', 'name = "small"\nworkspace = "s3://audits/w"')
    away.edit('format = "folder"', 'format = "yolo"\nannotations = "data.yaml"')
    told = call("run", away.config, "--no-prefect")
    assert told.code == 2
    assert "workspace: has to be a folder of this machine" in told.err
    assert "yolo: such a dataset is read from folders of this machine alone" in told.err


def test_missing_credentials_are_said(both: tuple[SmallAudit, SmallAudit]) -> None:
    _, away = both
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        forget_storage()
        told = call("run", away.config, "--no-prefect")
    assert told.code == 1
    assert "the storage does not take these credentials" in told.err
    assert "AWS_ACCESS_KEY_ID" in told.err
