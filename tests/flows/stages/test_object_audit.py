"""An audit of objects as a user writes it: real people, real detections, measured attributes."""

import contextlib
import html
import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from flows.run.summary import Summary
from pipeline.config.audit import Audit, read_audit
from pipeline.exceptions import ConfigError
from pipeline.workspace.label_columns import choose_columns
from pipeline.workspace.manifests import LabelManifest
from pipeline.workspace.search_table import read_search_table
from pipeline.workspace.store import Store, find_store
from tests.flows.direct import run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import write_audit
from tests.samples.datasets import NO_SHARED, SHARED

COCO_MINI = SHARED / "coco_mini"
SPLITS = ("train2017", "val2017")
IOU = 0.3
HEIGHT = """\
# Under about 128 pixels a person is smaller than the window that HOG people detectors learn.
name = "height"
kind = "measured"
applies_to = "object"
measure = "box_height"
edges = [0, 128, inf]
"""
CONFIG = f"""\
name = "people"
[dataset]
format = "coco"
sample = "object"
categories = ["person"]
images = {[str(COCO_MINI / split) for split in SPLITS]}
annotations = {[str(COCO_MINI / f"annotations/instances_{split}.json") for split in SPLITS]}
crop.min_size = 1
[attributes]
use = ["mine/height.toml", "object/truncated", "object/crowding", "image/brightness"]
[[systems]]
name = "HOG"
format = "coco-detections"
predictions = {[str(COCO_MINI / f"hog_people_{split}.json") for split in SPLITS]}
error = "miss"
iou = {IOU}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("object audit"),
    pytest.mark.skipif(not COCO_MINI.is_dir(), reason=NO_SHARED),
]


@dataclass(frozen=True)
class Done:
    """The audit after its run."""

    audit: Audit
    summary: Summary

    @property
    def store(self) -> Store:
        return find_store(self.audit.workspace)

    @property
    def people(self) -> pl.DataFrame:
        """The objects with their error and what `truncated` and `crowding` say of them."""
        errors = self.store.read("errors").select("sample_id", "error")
        labels = self.store.read("labels").filter(
            pl.col("attribute").is_in(["truncated", "crowding"])
        )
        wide = labels.pivot("attribute", index="sample_id", values="value")
        objects = self.store.read("samples").filter(pl.col("parent_id").is_not_null())
        return objects.join(errors, on="sample_id").join(wide, on="sample_id", how="left")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("people")
    (folder / "mine").mkdir()
    (folder / "mine" / "height.toml").write_text(HEIGHT)
    config = folder / "audit.toml"
    config.write_text(CONFIG)
    return Done(read_audit(config), run_directly(config))


def misses_by_pycocotools(split: str) -> dict[str, float]:
    """Match one split with the reference implementation; annotation id -> 1 where missed."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(COCO_MINI / f"annotations/instances_{split}.json"))
        found = truth.loadRes(str(COCO_MINI / f"hog_people_{split}.json"))
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.catIds = truth.getCatIds(catNms=["person"])
        evaluation.params.iouThrs = [IOU]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [10_000]
        evaluation.evaluate()
    return {
        str(number): float(match == 0)
        for image in evaluation.evalImgs
        if image is not None
        for number, match, ignored in zip(
            image["gtIds"], image["gtMatches"][0], image["gtIgnore"], strict=True
        )
        if not ignored
    }


@pytest.mark.slow
def test_misses_are_pycocotools_object_by_object(done: Done) -> None:
    expected = {
        key: error for split in SPLITS for key, error in misses_by_pycocotools(split).items()
    }
    assert dict(done.people.select("annotation_id", "error").iter_rows()) == expected
    assert len(expected) == 284


def test_the_first_finding_is_height_below_128(done: Done) -> None:
    first = done.summary.findings[0]
    assert first["predicates"] == [{"attribute": "height", "value": "<= 128"}]
    assert first["n"] == 192
    assert first["error"] == pytest.approx(0.984, abs=5e-4)
    assert first["rest_error"] == pytest.approx(0.837, abs=5e-4)
    assert first["state"] == "confirmed"
    assert first["p_family"] < 0.05 < first["q"]  # q alone would not have found it


def test_height_below_128_has_the_best_score_of_all_slices(done: Done) -> None:
    family = done.store.read_family(done.summary.run_id)
    assert family.height == 349  # 122 of single values, the others of runs
    assert family["predicates"][0].to_list() == [{"attribute": "height", "value": "<= 128"}]


def test_the_report_says_that_the_score_ranks_little_and_shows_success(done: Done) -> None:
    assert done.summary.report is not None
    page = read_report(done.summary.report)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "score can rank little" in text
    assert "success rates" in text
    assert "1.6% found against 16.3% elsewhere" in text


def test_people_whose_box_touches_a_side_are_truncated(done: Done) -> None:
    for row in done.people.iter_rows(named=True):
        ends = (row["width"] - row["x"] - row["w"], row["height"] - row["y"] - row["h"])
        assert row["truncated"] == ("yes" if min(row["x"], row["y"], *ends) <= 1 else "no")
    assert done.people["truncated"].value_counts(sort=True).rows() == [("no", 227), ("yes", 57)]


def test_every_person_has_a_value_of_crowding(done: Done) -> None:
    assert set(done.people["crowding"]) == {"up to 10 %", "10 to 50 %", "over 50 %"}


def test_brightness_labels_the_images_and_is_searched_through_them(done: Done) -> None:
    samples = done.store.read("samples")
    labels = done.store.read("labels").filter(pl.col("attribute") == "brightness")
    images = samples.filter(pl.col("parent_id").is_null())
    assert set(labels["sample_id"]) == set(images["sample_id"])
    columns, _ = choose_columns(
        LabelManifest.read(done.store.folder), label_source="predicted", of_objects=True
    )
    table = read_search_table(done.store, columns, system="HOG", sample_ids=samples["sample_id"])
    seen = table.attributes.select("brightness", sample_id=table.sample_ids)
    owner = samples.select("sample_id", "parent_id").join(
        labels.select(parent_id="sample_id", expected="value"), on="parent_id"
    )
    compared = seen.join(owner, on="sample_id")
    assert compared.height == 284
    assert (compared["brightness"] == compared["expected"]).all()
    assert compared["brightness"].n_unique() == 4


def test_a_second_run_labels_nothing(done: Done) -> None:
    config = done.audit.workspace.parent / "audit.toml"
    again = run_directly(config, ["embed", "label"])
    assert again.counts["samples_labelled"] == 0


def test_an_audit_of_whole_images_refuses_attributes_of_boxes(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=8)
    audit.edit('"mine/tone.toml", "image/brightness", "image/contrast"', '"object/crowding"')
    with pytest.raises(ConfigError, match=r"'crowding' .*whole images have none"):
        run_directly(audit.config)
