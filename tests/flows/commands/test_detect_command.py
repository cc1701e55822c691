"""`weakspot detect`: results, an audit of them, checks, and what it refuses."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import pipeline.demo
from flows.commands.zero_shot.system_audit import check_system_name
from flows.stages.detect import detect_objects
from flows.stages.samples import make_samples
from flows.windows.detect_dataset import DatasetDetections, detect_dataset
from flows.windows.embed_windows import read_windows
from pipeline.config.audit import read_audit
from pipeline.demo.world import write_world
from pipeline.detectors.detector import Detection
from pipeline.detectors.load import load_detector
from pipeline.exceptions import ConfigError
from pipeline.images.decode import ImageRejectedError
from pipeline.workspace.store import find_store, open_store
from tests.flows.command import call
from tests.flows.direct import open_audit
from tests.flows.windows.color_encoder import ColorEncoder

AUDIT = """\
name = "squares"
[dataset]
format = "coco"
annotations = "truth.json"
images = "images"
sample = "object"
[encoder]
model = "local-dir:colors"
[attributes]
use = ["object/height"]
[[systems]]
name = "other"
format = "coco-detections"
predictions = "none.json"
error = "miss"
"""
WORDS = """\
background = "blue"
min_score = 0.99
[categories]
square = ["red"]
[windows]
scales = [0.25]
aspects = [1.0]
stride = 0.25
"""


def write_audit(folder: Path, *, count: int = 6) -> Path:
    """Images with a red square of 10 pixels on blue; every third is empty, the last is broken."""
    (folder / "images").mkdir()
    images, annotations = [], []
    for number in range(count):
        image = Image.new("RGB", (60, 40), (0, number, 255))
        images.append({"id": number, "file_name": f"{number}.png", "width": 60, "height": 40})
        if number % 3:
            box = [5 * number, 10, 10, 10]
            image.paste((255, 0, 0), (box[0], 10, box[0] + 10, 20))
            annotations.append(
                {"id": number, "image_id": number, "category_id": 7, "bbox": box, "area": 100}
            )
        image.save(folder / "images" / f"{number}.png")
    (folder / "images" / f"{count - 1}.png").write_bytes(b"broken")
    truth = {"images": images, "annotations": annotations,
             "categories": [{"id": 7, "name": "square"}]}  # fmt: skip
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "none.json").write_text("[]")
    (folder / "words.toml").write_text(WORDS)
    (folder / "audit.toml").write_text(AUDIT)
    return folder / "audit.toml"


def detect(config: Path, encoder: ColorEncoder, name: str = "patches") -> DatasetDetections:
    return detect_dataset(
        config, detector=name, words=config.parent / "words.toml",
        load=load_detector, load_encoder=lambda _: encoder,
    )  # fmt: skip


def test_what_is_detected_is_named_and_checked_as_the_annotations_do(tmp_path: Path) -> None:
    found = detect(write_audit(tmp_path), ColorEncoder())
    assert (found.images, found.rejects, found.ran_on) == (5, 1, 5)
    box = pl.col("x", "y", "w", "h").round(6)
    placed = found.detections.select("image_id", "category_id", box).sort("image_id")
    assert placed.rows() == [(str(n), "7", 5.0 * n, 10.0, 10.0, 10.0) for n in (1, 2, 4)]
    assert found.check is not None
    (row,) = found.check.to_dicts()
    assert (row["objects"], row["ap"], row["recall"], row["false_without"]) == (3, 1.0, 1.0, 0.0)


def test_a_second_time_nothing_is_encoded_and_other_words_use_the_same_windows(
    tmp_path: Path,
) -> None:
    config, encoder = write_audit(tmp_path), ColorEncoder()
    first = detect(config, encoder)
    seen = encoder.seen
    assert detect(config, encoder).detections.equals(first.detections)
    (tmp_path / "words.toml").write_text(WORDS.replace('"blue"', '"green"'))
    assert detect(config, encoder).ran_on == 5
    assert encoder.seen == seen
    rejects = find_store(tmp_path / "workspace").read("rejects")
    assert rejects.filter(pl.col("stage") == "detect")["path"].to_list() == []


@dataclass
class Sees:
    """One thing in every image; in the largest blue nothing, since it fails."""

    name: str = "sees"
    detector_id: str = "e" * 16

    def detect(self, image: Image.Image) -> list[Detection]:
        if image.getpixel((0, 0)) == (0, 0, 255):
            raise ImageRejectedError("too blue")
        return [Detection("dog", 0, 0, 5, 5, 0.9), Detection("square", 0, 0, 5, 5, 0.4)]


def test_what_another_detector_cannot_use_is_counted_and_no_reject_of_the_audit(
    tmp_path: Path,
) -> None:
    config = write_audit(tmp_path)
    store = open_store(tmp_path / "workspace")
    own = pl.DataFrame({"path": ["x.png"], "stage": ["detect"], "reason": ["of the audit"]})
    store.put_rejects(own, stage="detect")
    found = detect_dataset(
        config, detector="sees", words=None,
        load=lambda _: Sees(), load_encoder=lambda _: ColorEncoder(),
    )  # fmt: skip
    assert (found.images, found.rejects) == (5, 2)  # a broken one, a blue one
    assert found.detections["category"].to_list() == ["square"] * 4
    assert found.foreign == {"dog": 4}
    assert store.read("rejects").equals(own)


def test_the_least_score_of_another_detector_is_not_taken(tmp_path: Path) -> None:
    config = write_audit(tmp_path)
    config.write_text(
        AUDIT.replace('format = "coco"\nannotations = "truth.json"\n', 'format = "folder"\n')
        .replace("[encoder]", '[dataset.boxes]\ndetector = "fake"\nmin_score = 0.5\n[encoder]')
        .replace('"coco-detections"', '"table"').replace('"miss"', '"loss"')
    )  # fmt: skip

    def count(detector: str | None) -> int:
        return detect_dataset(
            config, detector=detector, words=None,
            load=lambda _: Sees(), load_encoder=lambda _: ColorEncoder(),
        ).detections.height  # fmt: skip

    assert (count(None), count("sees")) == (4, 8)


def test_files_that_are_not_of_the_system_are_not_overwritten(tmp_path: Path) -> None:
    config = write_audit(tmp_path)
    mine = tmp_path / "audit-night.toml"
    mine.write_text(AUDIT)
    outputs = tmp_path / "audit-day.json"
    outputs.write_text("[1]")
    for name, said in (("night", "audit-night.toml"), ("day", "audit-day.json"),
                       ("other", "has a system of that name")):  # fmt: skip
        told = call("detect", config, "--detector", "patches", "--as-system", name)
        assert told.code == 2
        assert said in told.err
    assert (mine.read_text(), outputs.read_text()) == (AUDIT, "[1]")
    mine.write_text(AUDIT.replace('"other"', '"night"'))  # as written for this system before
    check_system_name(config, "night", results=".json", run=False, json_output=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--detector", "patches", "--words", "absent.toml"], "absent.toml"),
        (["--detector", "patches", "--words", "list.toml"], "categories: "),
        (["--detector", "patches", "--words", "foreign.toml"], "'dog' is none of the dataset's"),
        (["--detector", "patches", "--words", "odd.toml"], "colour: no such key"),
        (["--detector", "nonsense"], "no detector 'nonsense'"),
        (["--detector", "zero-shot:absent"], "config.json"),
        ([], "--detector patches"),
        (["--run"], "--as-system"),
        (["--detector", "patches", "--as-system", "//"], "letters and digits"),
        (["--detector", "patches", "--out", "results.csv"], ".json"),
        (["--detector", "patches", "--out", "absent/results.json"], "make it first"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    config = write_audit(tmp_path)
    (tmp_path / "foreign.toml").write_text('categories = {dog = "a dog"}\n')
    (tmp_path / "odd.toml").write_text('colour = "red"\n')
    (tmp_path / "list.toml").write_text('categories = ["square"]\n')
    placed = [str(tmp_path / one) if one.endswith(".toml") else one for one in arguments]
    told = call("detect", config, *placed)
    assert told.code == 2
    assert said in told.err
    assert not list(tmp_path.glob("*.json-*"))


def test_without_an_encoder_patches_say_so(tmp_path: Path) -> None:
    config = write_audit(tmp_path)
    config.write_text(AUDIT.replace('[encoder]\nmodel = "local-dir:colors"\n', ""))
    with pytest.raises(ConfigError, match=r"\[encoder\]"):
        detect(config, ColorEncoder())


def write_people(folder: Path) -> Path:
    """Write eight scenes of the demo's world, and an audit of the people in them."""
    world = write_world(folder / "world", images=8, seed=3)
    encoder = Path(pipeline.demo.__file__).parent / "encoder"
    (folder / "none.json").write_text("[]")
    (folder / "audit.toml").write_text(
        PEOPLE.format(encoder=encoder, annotations=world.annotations, images=world.images)
    )
    (folder / "words.toml").write_text(
        'categories = {person = ["a person fully visible"]}\n'
        'background = ["a person hidden behind something", "a person blurry"]\n'
        "windows = {scales = [0.6], aspects = [0.5], stride = 0.5}\n"
    )
    return folder / "audit.toml"


PEOPLE = """\
name = "people"
[dataset]
format = "coco"
annotations = "{annotations}"
images = "{images}"
sample = "object"
[encoder]
model = "local-dir:{encoder}"
precision = "fp32"
[attributes]
use = ["object/height"]
[[systems]]
name = "nothing"
format = "coco-detections"
predictions = "none.json"
error = "miss"
"""


@pytest.mark.slow
def test_one_command_audits_a_patches_detector_to_its_report(tmp_path: Path) -> None:
    config = write_people(tmp_path)
    told = call(
        "detect", config, "--detector", "patches", "--words", tmp_path / "words.toml",
        "--check", "--as-system", "by words", "--run", "--no-prefect",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "without it" in told.out
    results = json.loads((tmp_path / "audit-by-words.json").read_text())
    assert results
    assert {one["category_name"] for one in results} == {"person"}
    assert read_audit(tmp_path / "audit-by-words.toml").systems[1].name == "by words"
    (report,) = (find_store(tmp_path / "workspace").folder.parent).glob("report*/index.html")
    assert "by words" in report.read_text(encoding="utf-8")
    again = call("detect", config, "--detector", "patches", "--words", tmp_path / "words.toml",
                 "--json")  # fmt: skip
    assert json.loads(again.out)["ran_on"] == 0
    parts = call("search", tmp_path / "workspace", "a person fully visible", "--parts", "--json")
    assert parts.code == 0, parts.err
    assert all(row["w"] for row in json.loads(parts.out)["samples"])


def test_what_words_find_are_the_samples_of_a_folder_of_images(tmp_path: Path) -> None:
    config = write_audit(tmp_path)
    lines = WORDS.replace("[categories]\nsquare", "categories.square")
    lines = lines.replace("[windows]\n", "").replace("scales", "windows.scales")
    lines = lines.replace("aspects", "windows.aspects").replace("stride", "windows.stride")
    config.write_text(
        AUDIT.replace('format = "coco"\nannotations = "truth.json"\n', 'format = "folder"\n')
        .replace("[encoder]", f'[dataset.boxes]\ndetector = "patches"\n{lines}[encoder]')
        .replace('"coco-detections"', '"table"').replace('"miss"', '"loss"')
    )  # fmt: skip
    resolved, store = open_audit(config)
    encoder = ColorEncoder()
    detected = detect_objects(resolved, store, load_encoder=lambda _: encoder)
    make_samples(resolved, store, detected=detected)
    objects = store.read_samples().drop_nulls("parent_id").sort("path")
    assert objects.select("path", "category").rows() == [(f"{n}.png", "square") for n in (1, 2, 4)]
    assert objects["x"].round(6).to_list() == [5.0, 10.0, 20.0]
    assert read_windows(store)["image_key"].n_unique() == 5
