"""A week of nights on the demo as it grows, against a real server: as a fresh audit of its end."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from flows.commands.demo import prepare_demo
from flows.commands.exports.export import export_table
from pipeline.workspace.store import find_store
from tests.flows.run.schedules.real_server import PATIENCE, RealServer
from tests.flows.run.small_disks import fill, mount_small_disk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.endurance,
    pytest.mark.xdist_group("schedules"),
    pytest.mark.timeout(2400),  # where the machine is busy; else some minutes
]
IMAGES, SHARD = 240, 32
RESULTS = ("findings", "slices", "combinations", "collection")
TABLES = ("samples", "rejects", "labels", "errors", *RESULTS)


class Demo:
    """The demo's audit, of whose images and annotations some are there, and its nights."""

    def __init__(self, folder: Path, server: RealServer) -> None:
        self.config = prepare_demo(folder, images=IMAGES, seed=3, workers=1)
        text = self.config.read_text().replace('precision = "fp32"', f"shard_size = {SHARD}")
        self.config.write_text(text)
        self.server = server
        self.images = folder / "world" / "images"
        self.truth = folder / "world" / "annotations.json"
        self.outputs = folder / "small_detector.json"
        self.all_truth = json.loads(self.truth.read_text())
        self.all_outputs = json.loads(self.outputs.read_text())
        self.coming = folder / "coming"
        shutil.copytree(self.images, self.coming)

    def show(self, numbers: range, *, without: tuple[int, ...] = ()) -> None:
        """Let the dataset hold the images of these numbers, with their boxes and detections."""
        shown = [one for n, one in enumerate(self.all_truth["images"]) if n in numbers]
        shown = [one for one in shown if one["id"] not in without]
        ids = {one["id"] for one in shown}
        names = {one["file_name"] for one in shown}
        for path in self.images.iterdir():
            if path.name not in names:
                path.unlink()
        for name in sorted(names - {path.name for path in self.images.iterdir()}):
            shutil.copy2(self.coming / name, self.images / name)
        boxes = [one for one in self.all_truth["annotations"] if one["image_id"] in ids]
        truth = {**self.all_truth, "images": shown, "annotations": boxes}
        self.truth.write_text(json.dumps(truth))
        found = [one for one in self.all_outputs if one["image_id"] in ids]
        self.outputs.write_text(json.dumps(found))

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "flows.commands.app", "run", str(self.config)],
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


def read_last(workspace: Path, folder: Path) -> dict[str, pl.DataFrame]:
    frames = {}
    for name in TABLES:
        target = folder / f"{name}-{workspace.name}.parquet"
        export_table(workspace, name, target)
        frame = pl.read_parquet(target).drop("run_id", "mtime", strict=False)
        frames[name] = frame if name in RESULTS else frame.sort(pl.all())
    return frames


def test_a_week_on_the_demo_ends_as_a_fresh_audit_of_its_last_day(
    tmp_path: Path, real_server: RealServer
) -> None:
    demo = Demo(tmp_path / "demo", real_server)
    with mount_small_disk(tmp_path / "demo" / "workspace", megabytes=60) as disk:
        demo.show(range(100))  # Monday
        demo.night()
        demo.show(range(130))  # Tuesday: new images
        demo.night()
        demo.show(range(130), without=(5, 6))  # Wednesday: removed and changed
        shutil.copy(demo.coming / "0000011.jpg", demo.images / "0000010.jpg")
        demo.night()

        demo.show(range(200), without=(5, 6))  # Thursday: killed in the middle of embedding
        before = len(list(disk.glob("embeddings/*/*.parquet")))
        process = demo.start()
        deadline = time.monotonic() + PATIENCE
        while len(list(disk.glob("embeddings/*/*.parquet"))) < before + 1:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

        filler = fill(disk)  # Friday: the disk is full
        code, printed = demo.run()
        assert code == 1
        assert "disk is full" in printed
        assert "Traceback" not in printed
        filler.unlink()

        assert "not done again" not in demo.night()  # Saturday
        assert "not done again, since nothing changed: find, fairness, report" in demo.night()
        demo.show(range(IMAGES), without=(5, 6))  # Sunday: new images
        demo.night()

        text = demo.config.read_text()
        demo.config.write_text(text.replace('workspace = "workspace"', 'workspace = "fresh"'))
        demo.night()
        lived = read_last(disk, tmp_path)
        fresh = read_last(tmp_path / "demo" / "fresh", tmp_path)
        assert fresh["findings"].height > 0
        assert [name for name in TABLES if not lived[name].equals(fresh[name])] == []
        images = find_store(disk).read_samples().filter(pl.col("parent_id").is_null())
        assert images.height == IMAGES - 2
