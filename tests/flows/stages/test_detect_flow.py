"""Objects that a detector sees are the samples: looked at once, kept, and audited to the report."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from flows.stages.detect import detect_objects, probe_detector
from flows.stages.samples import make_samples
from pipeline.detectors.detector import Detection
from pipeline.exceptions import ConfigError
from pipeline.workspace.kept.kept_samples import read_sample_set
from pipeline.workspace.store import Store, find_store
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly

DATA = Path("../shared/data").absolute()
needs_photographs = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
CONFIG = """\
name = "detected"
[dataset]
format = "folder"
images = "images"
sample = "object"
crop.min_size = 1
[dataset.boxes]
detector = "fake"
min_score = 0.4
[attributes]
use = ["image/brightness", "mine/width.toml"]
[[systems]]
name = "system"
format = "table"
predictions = "errors.csv"
error = "loss"
"""
WIDTH = 'name = "width"\nkind = "measured"\nmeasure = "box_width"\nedges = [5]\n'


@dataclass
class Fake:
    """Sees as many boxes as the red of the image says, each wider and less sure than the last."""

    name: str = "fake"
    detector_id: str = "f" * 16
    looks: list[int] = field(default_factory=list)

    def detect(self, image: Image.Image) -> list[Detection]:
        pixel = image.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        self.looks.append(pixel[0])
        return [Detection("thing", 0, 0, 2 + n, 4, 0.9 - n / 10) for n in range(pixel[0])]


def write_audit(folder: Path, counts: list[int]) -> Path:
    """Write an image with each of these numbers of objects, and an audit of them."""
    (folder / "images").mkdir()
    (folder / "mine").mkdir()
    for number, count in enumerate(counts):
        image = Image.new("RGB", (20, 20), (count, number, 200))
        image.save(folder / "images" / f"{number:02}.png")
    (folder / "mine" / "width.toml").write_text(WIDTH)
    (folder / "errors.csv").write_text("sample_id,loss\n")
    (folder / "audit.toml").write_text(CONFIG)
    return folder / "audit.toml"


def make(config: Path, fake: Fake, limit: int | None = None) -> tuple[dict[str, int], Store]:
    resolved, store = open_audit(config)
    detected = detect_objects(resolved, store, limit=limit, load=lambda _: fake, shard_size=2)
    counts = make_samples(resolved, store, detected=detected, limit=limit)
    return counts | {"images_detected": detected.ran_on}, store


def test_what_the_detector_sees_are_the_samples(tmp_path: Path) -> None:
    counts, store = make(write_audit(tmp_path, [2, 0, 1]), Fake())
    assert counts == {"samples": 3, "rejects": 0, "images_detected": 3}
    objects = read_sample_set(store).samples.drop_nulls("parent_id")
    assert objects.select("path", "category", "w").rows() == [
        ("00.png", "thing", 2.0),
        ("00.png", "thing", 3.0),
        ("02.png", "thing", 2.0),
    ]


def test_a_second_run_looks_at_nothing_also_where_nothing_was_seen(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [2, 0, 1]), Fake()
    _, store = make(config, fake)
    before = read_sample_set(store)
    fake.looks.clear()
    again, _ = make(config, fake)
    assert fake.looks == []
    assert again["images_detected"] == 0
    after = read_sample_set(store)
    assert after.samples.equals(before.samples)
    assert after.counts["files_hashed"] == 0


def test_only_new_images_are_looked_at(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [2, 0, 1]), Fake()
    make(config, fake)
    Image.new("RGB", (20, 20), (3, 99, 0)).save(tmp_path / "images" / "new.png")
    fake.looks.clear()
    counts, _ = make(config, fake)
    assert fake.looks == [3]
    assert counts["samples"] == 3 + 3


def test_another_detector_looks_again(tmp_path: Path) -> None:
    config = write_audit(tmp_path, [2, 1])
    make(config, Fake())
    other = Fake(detector_id="e" * 16)
    make(config, other)
    assert sorted(other.looks) == [1, 2]


def test_min_score_leaves_out_without_looking_again(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [8]), Fake()
    _, store = make(config, fake)
    found = read_sample_set(store)
    assert found.counts["objects"] == 6
    assert found.counts["detections_below_min_score"] == 2
    config.write_text(CONFIG.replace("0.4", "0.85"))
    make(config, fake)
    assert read_sample_set(store).counts["objects"] == 1
    assert len(fake.looks) == 1


def test_broken_images_are_rejects_and_looked_at_once(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [2, 1, 1]), Fake()
    (tmp_path / "images" / "01.png").write_text("no image")
    file = tmp_path / "images" / "02.png"
    file.write_bytes(file.read_bytes()[:45])
    for _ in range(2):
        _, store = make(config, fake)
        rejects = store.read("rejects")
        assert rejects.select("path", "stage").rows() == [
            ("01.png", "samples"),
            ("02.png", "detect"),
        ]
    assert fake.looks == [2]


def test_a_limit_runs_on_no_more_images_than_it_needs(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [0, 1, 2, 3, 1, 1]), Fake()
    _, store = make(config, fake, limit=3)
    assert sorted(fake.looks) == [0, 1, 2, 3]
    assert read_sample_set(store).counts["objects"] == 3


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    resolved, store = open_audit(write_audit(tmp_path, [2, 0, 1]))
    before = sorted(store.folder.rglob("*"))
    probe = probe_detector(resolved.audit, store, load=lambda _: Fake())
    assert probe.to_detect == 3
    assert probe.detections.height == 3
    assert sorted(store.folder.rglob("*")) == before


def test_an_unknown_detector_is_told_before_any_work(tmp_path: Path) -> None:
    resolved, store = open_audit(write_audit(tmp_path, [1]))
    with pytest.raises(ConfigError, match="no detector 'fake'; those known are"):
        detect_objects(resolved, store)


@pytest.mark.slow
@needs_photographs
def test_faces_that_yunet_sees_are_audited_to_the_report(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for path in sorted((DATA / "celeba" / "images").iterdir())[:60]:
        (images / path.name).write_bytes(path.read_bytes())
    rows = [f"{path.name},0,{number % 4 == 0:d}" for number, path in enumerate(images.iterdir())]
    (tmp_path / "errors.csv").write_text("\n".join(["path,annotation_id,loss", *rows]) + "\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "width.toml").write_text(WIDTH.replace("[5]", "[90]"))
    config = tmp_path / "audit.toml"
    config.write_text(CONFIG.replace('"fake"', '"yunet-faces"').replace("crop.min_size = 1", ""))
    first = run_directly(config)
    assert first.counts["images_detected"] == 60
    assert first.counts["samples"] > 50  # nearly every image holds a face
    assert first.report is not None
    second = run_directly(config)
    assert second.counts["images_detected"] == 0
    assert second.counts["samples_labelled"] == 0
    categories = find_store(tmp_path / "workspace").read("samples")["category"]
    assert set(categories.drop_nulls()) == {"face"}
    assert isinstance(categories, pl.Series)


@needs_photographs
def test_the_command_tells_how_many_images_are_left_to_look_at(tmp_path: Path) -> None:
    config = write_audit(tmp_path, [1])
    config.write_text(CONFIG.replace('"fake"', '"yunet-faces"'))
    blank = call("run", config, "--dry-run")
    assert "to detect: 1\n" in blank.out
    path = min((DATA / "celeba" / "images").iterdir())
    (tmp_path / "images" / "face.jpg").write_bytes(path.read_bytes())
    (tmp_path / "errors.csv").write_text("path,annotation_id,loss\nface.jpg,0,1\n")
    told = call("run", config, "--dry-run")
    assert told.code == 0
    assert "to detect: 2\n" in told.out
    assert "note: objects are those of the first 32 images" in told.out
