"""Objects too small to embed keep their place: as samples, with their errors and measures."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipeline.tables import RESULTS
from pipeline.workspace.manifests import LabelManifest, SamplesManifest
from pipeline.workspace.store import Store
from tests.flows.command import call
from tests.flows.direct import open_audit, run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import TONE, write_audit
from tests.tiny_clip import write_tiny

pytestmark = pytest.mark.slow  # whole audits

CONFIG = """\
name = "boxes"
[dataset]
format = "coco"
annotations = "truth.json"
images = "images"
sample = "object"
[encoder]
model = "local-dir:tiny"
[attributes]
use = ["tone.toml", "object/height", "image/contrast"]
[[systems]]
name = "finder"
format = "coco-detections"
predictions = "found.json"
error = "miss"
"""
BOXES = {1: (5, 5, 30, 40), 2: (50, 10, 6, 4), 3: (60, 30, 0.5, 0.5), 4: (10, 2, 20, 30)}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two images; objects 2 and 3 have sides under 8 pixels."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(5)
    for name in ("a", "b"):
        pixels = rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    images = [{"id": n, "file_name": f"{name}.png", "width": 80, "height": 60}
              for n, name in enumerate("ab", start=1)]  # fmt: skip
    objects = [{"id": n, "image_id": 1 + n // 4, "category_id": 1, "bbox": box}
               for n, box in BOXES.items()]  # fmt: skip
    categories = [{"id": 1, "name": "person"}]
    truth = {"images": images, "categories": categories, "annotations": objects}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    found = [{**objects[0], "score": -0.5}]  # a margin below 0 counts like any score
    (tmp_path / "found.json").write_text(json.dumps(found))
    (tmp_path / "tone.toml").write_text(TONE.replace('"image"', '"object"'))
    write_tiny(tmp_path / "tiny")
    (tmp_path / "audit.toml").write_text(CONFIG)
    return tmp_path / "audit.toml"


def read_tones(store: Store) -> dict[str, tuple[str, bool]]:
    """Return the value and whether there is a score, by annotation."""
    label_id = LabelManifest.read(store.folder).by_name["tone"].label_id
    labels = store.read_labels([label_id]).join(store.read_samples(), on="sample_id")
    rows = labels.select("annotation_id", "value", pl.col("score").is_not_null()).iter_rows()
    return {number: (value, known) for number, value, known in rows}


def test_small_objects_have_errors_and_measures_and_unknown_prompt_labels(config: Path) -> None:
    summary = run_directly(config)
    _, store = open_audit(config)
    errors = store.read("errors").join(store.read_samples(), on="sample_id")
    assert dict(errors.select("annotation_id", "error").iter_rows()) == {
        "1": 0.0, "2": 1.0, "3": 1.0, "4": 1.0
    }  # fmt: skip
    tones = read_tones(store)
    assert tones["2"] == tones["3"] == ("unknown", False)
    assert tones["1"][1]
    assert tones["4"][1]
    assert summary.counts["images_embedded"] == 2
    assert SamplesManifest.read(store.folder).counts["too_small"] == 2
    heights = store.read("labels").filter(pl.col("attribute") == "height")
    assert heights.height == 4
    assert "unknown" not in heights["value"]
    assert store.read("rejects").is_empty()
    assert "2 objects are smaller than crop.min_size" in read_report(summary.report)


def test_a_second_run_does_nothing_and_another_least_size_labels_again(config: Path) -> None:
    run_directly(config)
    again = run_directly(config)
    assert (again.counts["images_embedded"], again.counts["samples_labelled"]) == (0, 0)
    config.write_text(CONFIG.replace('sample = "object"', 'sample = "object"\ncrop.min_size = 1'))
    smaller = run_directly(config)
    assert smaller.counts["images_embedded"] == 1
    _, store = open_audit(config)
    assert {number: known for number, (_, known) in read_tones(store).items()} == {
        "1": True, "2": True, "3": False, "4": True
    }  # fmt: skip
    run_directly(config.parent / "audit.toml")
    config.write_text(CONFIG)  # back again: what was embedded stays, its label is "unknown"
    run_directly(config)
    assert read_tones(store)["2"] == ("unknown", False)


def test_pixels_of_small_objects_are_measured(config: Path) -> None:
    (config.parent / "grain.toml").write_text(
        'name = "grain"\nkind = "measured"\napplies_to = "object"\nmeasure = "contrast"\n'
        "edges = [0, 0.1, 1]\n"
    )
    config.write_text(CONFIG.replace('"image/contrast"', '"grain.toml"'))
    run_directly(config)
    _, store = open_audit(config)
    grain = store.read("labels").filter(pl.col("attribute") == "grain")
    assert grain.height == 4
    assert "unknown" not in grain["value"]


def test_matches_true_boxes_curves_and_suspicious_annotations_are_exported(
    config: Path, tmp_path: Path
) -> None:
    config.write_text(CONFIG.replace('"tone.toml", ', ""))
    run_directly(config)
    written = {}
    for table in ("outcomes", "objects", "sweeps", "relabel"):
        file = tmp_path / f"{table}.parquet"
        done = call("export", tmp_path / "workspace", table, file)
        assert (done.code, done.err) == (0, "")
        written[table] = pl.read_parquet(file)
    assert written["outcomes"].select("system", "status", "annotation_id").rows() == [
        ("finder", "found", "1")
    ]
    assert written["objects"].height == 4
    assert written["sweeps"].schema == pl.Schema(RESULTS["sweeps"])
    missing = written["relabel"].filter(pl.col("reason") == "not found")
    assert missing["annotation_id"].to_list() == ["4", "2", "3"]


def test_without_detectors_there_is_nothing_to_relabel(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=8)
    run_directly(audit.config, ["score"])
    for table in ("relabel", "outcomes"):
        done = call("export", tmp_path / "workspace", table, tmp_path / "x.csv")
        assert done.code == 1
        assert "weakspot score" in done.err
