"""Text in images: read once where an attribute asks for it, a label, exported and searched."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from flows.commands.dry_run import check_audit
from flows.run.loaded_models import load_open_clip
from flows.stages.embed import make_embeddings
from flows.stages.label import make_labels
from flows.stages.read_text import asks_for_text, make_texts
from flows.stages.samples import make_samples
from pipeline.exceptions import ConfigError, StoreError
from pipeline.files.core_count import count_cores
from pipeline.texts.reader import ReadText
from pipeline.workspace.store import find_store
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly

CONFIG = """\
name = "texts"
[dataset]
format = "folder"
images = "images"
[attributes]
use = ["image/text"]
[[systems]]
name = "system"
format = "table"
predictions = "errors.csv"
error = "loss"
"""


@dataclass
class Fake:
    """Reads a line in every image with red in it; counts how often it read."""

    reader_id: str = "a" * 16
    reads: list[int] = field(default_factory=list)

    def read(self, image: Image.Image) -> list[ReadText]:
        pixel = image.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        self.reads.append(pixel[0])
        return [ReadText(f"Exit {pixel[0]}", 0.9, 1, 1, 5, 2)] if pixel[0] else []


def write_audit(folder: Path, reds: list[int], config: str = CONFIG) -> Path:
    (folder / "images").mkdir()
    rows = ["path,loss"]
    for number, red in enumerate(reds):
        Image.new("RGB", (20, 20), (red, number, 9)).save(folder / "images" / f"{number}.png")
        rows.append(f"{number}.png,{number % 2}")
    (folder / "errors.csv").write_text("\n".join(rows) + "\n")
    (folder / "audit.toml").write_text(config)
    return folder / "audit.toml"


def read(config: Path, fake: Fake) -> dict[str, int]:
    resolved, store = open_audit(config)
    make_samples(resolved, store)
    counts = make_texts(resolved, store, load=lambda: fake)
    counts |= make_embeddings(resolved, store, load=load_open_clip)
    return counts | make_labels(resolved, store, load=load_open_clip)


def test_has_text_is_a_label_and_nothing_is_read_twice(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [7, 0, 3]), Fake()
    assert read(config, fake)["images_read"] == 3
    store = find_store(tmp_path / "workspace")
    samples = store.read("samples").select("sample_id", "path")
    labels = store.read("labels").join(samples, on="sample_id").sort("path")
    assert labels.select("attribute", "value").rows() == [
        ("text", "yes"), ("text", "no"), ("text", "yes"),
    ]  # fmt: skip
    again = read(config, fake)
    assert (again["images_read"], again["samples_labelled"], len(fake.reads)) == (0, 0, 3)


def test_a_broken_image_is_one_reject_however_often_it_runs(tmp_path: Path) -> None:
    config, fake = write_audit(tmp_path, [7, 0]), Fake()
    file = tmp_path / "images" / "1.png"
    file.write_bytes(file.read_bytes()[:45])
    for _ in range(2):
        read(config, fake)
        rejects = find_store(tmp_path / "workspace").read("rejects")
        assert rejects["path"].to_list() == ["1.png"]
    assert fake.reads == [7]


def test_only_an_attribute_of_text_asks_for_a_reader(tmp_path: Path) -> None:
    config = write_audit(tmp_path, [7])
    assert asks_for_text(open_audit(config)[0])
    config.write_text(CONFIG.replace("image/text", "image/sharpness"))
    assert not asks_for_text(open_audit(config)[0])
    assert "images_read" not in run_directly(config, ["embed"]).counts


def test_texts_are_exported_and_searched(tmp_path: Path) -> None:
    read(write_audit(tmp_path, [7, 0, 3]), Fake())
    workspace = tmp_path / "workspace"
    told = call("export", workspace, "texts", tmp_path / "texts.csv")
    assert "wrote 2 rows of texts" in told.out
    table = pl.read_csv(tmp_path / "texts.csv")
    assert table.select("path", "text").rows() == [("0.png", "Exit 7"), ("2.png", "Exit 3")]
    assert call("texts", workspace, "EXIT", "3").out == "2.png\tExit 3\n"
    nothing = call("texts", workspace, "entry")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err == "0 images hold entry; lines with one of these words: 0\n"


def test_words_are_found_across_the_lines_of_one_image(tmp_path: Path) -> None:
    class TwoLines(Fake):
        def read(self, image: Image.Image) -> list[ReadText]:
            first = super().read(image)
            return [*first, ReadText("No entry", 0.9, 1, 8, 5, 2)] if first else []

    read(write_audit(tmp_path, [7, 0, 3]), TwoLines(reader_id="b" * 16))
    told = call("texts", tmp_path / "workspace", "exit", "ENTRY", "3")
    assert told.out == "2.png\tExit 3\n2.png\tNo entry\n"
    assert told.err == "1 image holds exit and ENTRY and 3; lines with one of these words: 2\n"


@pytest.mark.slow
def test_a_dry_run_counts_and_times_the_text_that_is_to_be_read(tmp_path: Path) -> None:
    class Slow(Fake):
        def read(self, image: Image.Image) -> list[ReadText]:
            time.sleep(0.02)
            return super().read(image)

    config, fake = write_audit(tmp_path, [1] * 60), Slow()
    plan = check_audit(config, limit=None, load_texts=lambda: fake)
    assert plan.counts["to_read"] == 60
    assert 8 < len(fake.reads) < 60
    cores = count_cores()
    assert 60 * 0.02 / (2 * cores) < plan.seconds < 60 * 0.02 * 5
    assert f"reading text: about {plan.seconds:,.0f} s" in plan.to_text()
    assert not (tmp_path / "workspace").exists()
    read(config, fake)
    done = check_audit(config, limit=None, load_texts=lambda: fake)
    assert (done.counts["to_read"], round(done.seconds)) == (0, 0)
    config.write_text(CONFIG.replace("image/text", "image/sharpness"))
    without = check_audit(config, limit=None)
    assert "to_read" not in without.counts
    assert "reading text" not in without.to_text()


def test_a_workspace_without_text_says_how_to_get_it(tmp_path: Path) -> None:
    make_samples(*open_audit(write_audit(tmp_path, [7])))
    told = call("texts", tmp_path / "workspace", "exit")
    assert told.code == 1
    assert "image/text" in told.err
    assert call("texts", tmp_path / "nowhere", "exit").code == 1


def test_labelling_before_reading_is_told(tmp_path: Path) -> None:
    resolved, store = open_audit(write_audit(tmp_path, [7]))
    make_samples(resolved, store)
    with pytest.raises(StoreError, match="no text was read here yet"):
        make_labels(resolved, store, load=load_open_clip)


OBJECTS = """\
name = "objects"
[dataset]
format = "coco"
images = "images"
annotations = "boxes.json"
sample = "object"
crop.min_size = 1
[attributes]
use = ["ATTRIBUTE"]
[[systems]]
name = "system"
format = "table"
predictions = "errors.csv"
error = "loss"
"""
BOXES = """\
{"images": [{"id": 1, "file_name": "0.png", "width": 20, "height": 20}],
 "categories": [{"id": 1, "name": "thing"}],
 "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81}]}
"""


def test_in_an_object_audit_the_image_is_read_and_labelled(tmp_path: Path) -> None:
    config = write_audit(tmp_path, [7], OBJECTS.replace("ATTRIBUTE", "image/text"))
    (tmp_path / "boxes.json").write_text(BOXES)
    fake = Fake()
    assert read(config, fake)["images_read"] == 1
    store = find_store(tmp_path / "workspace")
    whole = store.read("samples").filter(pl.col("parent_id").is_null())
    assert store.read("labels")["sample_id"].to_list() == whole["sample_id"].to_list()


def test_the_text_of_an_object_is_refused(tmp_path: Path) -> None:
    config = write_audit(tmp_path, [7], OBJECTS.replace("ATTRIBUTE", "mine.toml"))
    (tmp_path / "boxes.json").write_text(BOXES)
    attribute = 'name = "mine"\nkind = "measured"\nmeasure = "text_area"\nedges = [0.1]\n'
    (tmp_path / "mine.toml").write_text(attribute)
    with pytest.raises(ConfigError, match=r'attribute mine: .* applies_to = "image"'):
        read(config, Fake())
