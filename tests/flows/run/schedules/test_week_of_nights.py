"""A week of nights on a dataset that grows, against a real server: as a fresh audit of its end."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from flows.commands.exports.export import export_table
from pipeline.workspace.store import find_store
from tests.flows.run.schedules.real_server import PATIENCE, RealServer
from tests.flows.run.small_disks import fill, mount_small_disk
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.endurance,
    pytest.mark.xdist_group("schedules"),
    pytest.mark.timeout(1800),  # where the machine is busy; else a minute or two
]
RESULTS = ("findings", "slices", "gaps", "combinations", "collection")
TABLES = ("samples", "rejects", "labels", "errors", *RESULTS)
GATES = '[fairness]\nattributes = ["brightness"]\n[gates]\nmax_gap = 2.0\n[slices]'


class Week:
    """The audit, the images that are still to come, and the server that watches the nights."""

    def __init__(self, audit: SmallAudit, server: RealServer) -> None:
        self.audit = audit
        self.server = server
        self.coming = audit.folder / "coming"
        self.coming.mkdir()
        for path in sorted(audit.images.iterdir())[80:]:
            path.rename(self.coming / path.name)

    def add(self, count: int) -> None:
        for path in sorted(self.coming.iterdir())[:count]:
            path.rename(self.audit.images / path.name)

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "flows.commands.app", "run", str(self.audit.config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.server.environment,
        )  # fmt: skip

    def run(self) -> tuple[int, str]:
        process = self.start()
        printed, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, printed

    def night(self) -> str:
        code, printed = self.run()
        assert code == 0, printed
        return printed


@pytest.fixture
def week(tmp_path: Path, real_server: RealServer) -> Week:
    audit = write_audit(tmp_path, count=160)
    audit.edit('model = "local-dir:tiny"', 'model = "local-dir:tiny"\nshard_size = 8')
    audit.edit("[slices]", GATES)
    audit.edit('name = "small"', 'name = "week"')
    return Week(audit, real_server)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The workspace on a file system of a few megabytes."""
    with mount_small_disk(tmp_path / "workspace", megabytes=40) as folder:
        yield folder


def read_last(workspace: Path, folder: Path) -> dict[str, pl.DataFrame]:
    """Return what the last run left, without the ids of runs."""
    frames = {}
    for name in TABLES:
        target = folder / f"{name}-{workspace.name}.parquet"
        export_table(workspace, name, target)
        frame = pl.read_parquet(target)
        frame = frame.drop("run_id", "mtime", strict=False)
        frames[name] = frame if name in RESULTS else frame.sort(pl.all())
    return frames


def test_a_week_of_nights_ends_as_a_fresh_audit_of_its_last_day(
    week: Week, small_disk: Path, tmp_path: Path
) -> None:
    images = week.audit.images
    week.night()  # Monday

    week.add(20)  # Tuesday: new images
    week.night()

    (images / "0005.png").unlink()  # Wednesday: removed, changed and renamed
    shutil.copy(images / "0004.png", images / "0008.png")
    (images / "0010.png").rename(images / "moved.png")
    week.night()

    week.add(40)  # Thursday: killed in the middle of embedding
    before = len(list(small_disk.glob("embeddings/*/*.parquet")))
    process = week.start()
    deadline = time.monotonic() + PATIENCE
    while len(list(small_disk.glob("embeddings/*/*.parquet"))) < before + 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    filler = fill(small_disk)  # Friday: the disk is full
    code, printed = week.run()
    assert code == 1
    assert "disk is full" in printed
    assert "Traceback" not in printed
    filler.unlink()

    printed = week.night()  # Saturday: all of it is caught up
    assert "not done again" not in printed
    assert "not done again, since nothing changed: find, fairness, report" in week.night()

    week.add(20)  # Sunday: new images, and the system is better
    errors = week.audit.folder / "errors.csv"
    errors.write_text(errors.read_text().replace("0001.png,1", "0001.png,0"))
    week.night()
    states = {run["state_name"] for run in week.server.list_runs() if run["name"] == "week"}
    assert states <= {"Completed", "Failed", "Crashed", "Running"}

    week.audit.edit('name = "week"', 'name = "week"\nworkspace = "fresh"')
    week.night()
    lived = read_last(small_disk, tmp_path)
    fresh = read_last(tmp_path / "fresh", tmp_path)
    for name, frame in fresh.items():
        assert frame.height > 0 or name == "rejects", name
        assert lived[name].equals(frame), name
    keys = find_store(small_disk).read_samples()["content_key"]
    assert len(keys) == len(list(images.iterdir())) == 159
