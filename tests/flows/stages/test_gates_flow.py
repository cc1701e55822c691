"""Gates of whole runs: of each system, on the mean error, on questionable outputs."""

import json
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from flows.commands.dry_run import check_audit
from flows.run.summary import GatesFailedError, Summary
from pipeline.exceptions import PredictionsError
from pipeline.workspace.manifests import FairnessManifest
from tests.flows.direct import run_directly
from tests.flows.report_text import read_report

pytestmark = pytest.mark.slow  # whole audits

GROUPS = """\
name = "groups"
[dataset]
format = "table"
images = "images"
table = "samples.csv"
[dataset.truth]
file = "samples.csv"
[dataset.truth.gender]
column = "true_gender"
woman = ["w"]
man = ["m"]
[attributes]
given = ["gender", "race"]
[[systems]]
name = "one"
format = "table"
predictions = "samples.csv"
error = "loss"
[[systems]]
name = "two"
format = "classification"
predictions = "samples.csv"
target = "race"
error = "not-top1"
[fairness]
attributes = ["gender", "race"]
"""
BOXES = """\
name = "boxes"
[dataset]
format = "coco"
images = "images"
annotations = "truth.json"
sample = "object"
[attributes]
use = ["object/height"]
given = ["race"]
[[systems]]
name = "finder"
format = "coco-detections"
predictions = "found.json"
error = "miss"
"""


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 120 samples: women fail in half of the rows, men in none; `two` is right of race."""
    folder = tmp_path_factory.mktemp("groups")
    (folder / "images").mkdir()
    rows = ["path,gender,true_gender,race,loss,prediction"]
    for number in range(120):
        Image.new("RGB", (8, 8), (number, 9, 9)).save(folder / "images" / f"{number:03}.png")
        true = "w" if number % 2 else "m"
        label = "woman" if number % 4 else "man"
        race = "pale" if number % 3 else "dark"
        loss = int(true == "w" and number % 12 > 5)
        rows.append(f"{number:03}.png,{label},{true},{race},{loss},{race}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n")
    return folder / "audit.toml"


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Write 60 objects of 20 pixels, three in each image, and perfect detections."""
    (tmp_path / "images").mkdir()
    images, annotations = [], []
    for number in range(20):
        Image.new("RGB", (100, 100), (number, 9, 9)).save(tmp_path / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 100, "height": 100})
        annotations += [
            {"id": 3 * number + k + 1, "image_id": number, "category_id": 1,
             "bbox": [30 * k + 5, 10 + number, 20, 20], "race": "pale" if number % 2 else "dark"}
            for k in range(3)
        ]  # fmt: skip
    content = {"images": images, "annotations": annotations,
               "categories": [{"id": 1, "name": "face"}]}  # fmt: skip
    (tmp_path / "truth.json").write_text(json.dumps(content))
    spoil(tmp_path)
    return tmp_path / "audit.toml"


def spoil(folder: Path, *, scale: float = 1, ids: tuple[int, ...] = (1,)) -> None:
    """Write the true boxes as detections, at a scale; the ids of their categories in turn."""
    truth = json.loads((folder / "truth.json").read_text())["annotations"]
    found = [
        {"image_id": one["image_id"], "category_id": ids[at % len(ids)], "score": 0.9,
         "bbox": [scale * side for side in one["bbox"]] if at else one["bbox"]}
        for at, one in enumerate(truth)
    ]  # fmt: skip
    (folder / "found.json").write_text(json.dumps(found))


def run(audit: Path, text: str) -> Summary:
    """Run an audit; where its gates fail return its summary too."""
    audit.write_text(text)
    try:
        return run_directly(audit)
    except GatesFailedError as failed:
        return failed.summary


def test_each_system_is_judged_by_its_own_limits(groups: Path) -> None:
    gates = "[gates]\nmax_gap = {one = 0.1, two = 0.1}\nmin_group = 20\n"
    assert run(groups, GROUPS + gates).gates == {"one": "fail", "two": "pass"}
    only = "[gates]\nmax_gap = {two = 0.1}\nmin_group = 20\n"
    assert run(groups, GROUPS + only).gates == {"two": "pass"}


def test_a_classifier_is_scored_against_its_own_target(groups: Path) -> None:
    summary = run(groups, GROUPS)
    assert summary.systems["two"]["errors"] == 120
    assert summary.systems["two"]["columns_not_read"] == ["gender", "true_gender", "race", "loss"]
    unread = "note: two: columns that are not read: gender, true_gender, race, loss"
    assert unread in check_audit(groups, limit=None).to_text()


def test_given_groups_count_in_the_view_by_true_values(groups: Path) -> None:
    gates = "[gates]\nmax_gap = {one = 0.1}\nmin_group = 20\n"
    summary = run(groups, GROUPS + gates)
    by_truth = [gap for gap in summary.gaps if gap["labels"] == "truth" and gap["system"] == "one"]
    names = {tuple(sorted(p["attribute"] for p in gap["predicates"])) for gap in by_truth}
    assert names == {("gender",), ("race",), ("gender", "race")}
    store = groups.parent / "workspace"
    made = FairnessManifest.read(store)
    verdicts = pl.read_parquet(store / "results" / made.run_id / "verdicts.parquet")
    assert set(verdicts["labels"]) == {"predicted", "truth"}
    page = read_report(summary.report)
    assert "The verdict by true attributes counts" in page


def test_the_mean_error_is_judged_without_any_group(groups: Path) -> None:
    text = GROUPS.replace('[fairness]\nattributes = ["gender", "race"]\n', "")
    summary = run(groups, text + "[gates]\nmax_error = {one = 0.1, two = 0.1}\n")
    assert summary.gates == {"one": "fail", "two": "pass"}
    assert summary.gaps == ()
    page = read_report(summary.report)
    assert "Error gate of <bdi>one</bdi>: mean loss 25.0%, more than the 10.0% that" in page
    groups.write_text(text + "[gates]\nmax_error = {one = 0.1, two = 0.1}\n")
    with pytest.raises(GatesFailedError, match=r"one: all samples \(n 120\): error 0.15 above"):
        run_directly(groups, ["fairness"])
    assert run(groups, text + "[gates]\nmax_error = {one = 0.3}\n").gates == {"one": "pass"}


GATED = BOXES + '[fairness]\nattributes = ["race"]\n[gates]\nmax_gap = 0.1\nmin_group = 20\n'


def test_perfect_detections_pass_and_their_counts_are_known(boxes: Path) -> None:
    summary = run(boxes, GATED + "max_error = 0.2\n")
    assert summary.gates == {"finder": "pass"}
    assert summary.systems["finder"]["warnings"] == ()
    assert json.loads(summary.to_json())["systems"]["finder"]["detections_found"] == 60
    plan = check_audit(boxes, limit=None)
    assert plan.systems["finder"]["found an object"] == 60
    assert "outputs of finder: detections 60, found an object 60" in plan.to_text()


def test_no_gate_passes_on_boxes_at_another_scale(boxes: Path) -> None:
    spoil(boxes.parent, scale=2)
    summary = run(boxes, GATED)
    assert summary.gates == {"finder": "insufficient evidence"}
    (warning,) = summary.systems["finder"]["warnings"]
    assert "2 times that of the images" in warning
    page = read_report(summary.report)
    assert "No gate passes on them" in page
    assert run(boxes, GATED + "max_error = 0.2\n").gates == {"finder": "fail"}
    note = f"note: finder: {warning}"
    assert note in check_audit(boxes, limit=None).to_text()


def test_no_gate_passes_where_some_ids_are_unknown(boxes: Path) -> None:
    spoil(boxes.parent, ids=(1, 1, 7))
    assert run(boxes, GATED).gates == {"finder": "insufficient evidence"}
    ignored = GATED.replace('error = "miss"', 'error = "miss"\nunknown_categories = "ignore"')
    assert run(boxes, ignored).gates == {"finder": "pass"}  # a third is missed of each race


def test_nearly_all_ids_unknown_end_a_run_and_a_dry_run(boxes: Path) -> None:
    spoil(boxes.parent, ids=(1, *[7] * 9))
    boxes.write_text(GATED)
    for start in (run_directly, lambda config: check_audit(config, limit=None)):
        with pytest.raises(PredictionsError, match=r"54 of its 60 .* '7' \(54\).* '1' \(face\)"):
            start(boxes)


def test_groups_that_are_all_given_have_no_second_view_beside_true_values(groups: Path) -> None:
    text = GROUPS.replace('given = ["gender", "race"]', 'given = ["race"]')
    summary = run(groups, text)
    assert {gap["labels"] for gap in summary.gaps} == {"truth"}
    alone = text.replace('attributes = ["gender", "race"]', 'attributes = ["race"]')
    alone = alone[: alone.index("[dataset.truth]")] + alone[alone.index("[attributes]") :]
    assert {gap["labels"] for gap in run(groups, alone).gaps} == {"predicted"}
