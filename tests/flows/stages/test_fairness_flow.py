"""Groups compared from the command: gaps in the tables, gates in the exit code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipeline.workspace.manifests import FairnessManifest
from pipeline.workspace.store import find_store
from tests.flows.command import Told, call

CONFIG = """\
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
use = ["gender.toml"]
given = ["size"]
[[systems]]
name = "system"
format = "table"
predictions = "samples.csv"
error = "loss"
[fairness]
adjust_for = ["size"]
"""
GENDER = """\
name = "gender"
kind = "given"
applies_to = "image"
sensitive = true
"""
pytestmark = [pytest.mark.xdist_group("prefect"), pytest.mark.usefixtures("prefect_server")]


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Women have errors in four of ten samples, men in one, whatever the size."""
    folder = tmp_path_factory.mktemp("groups")
    (folder / "images").mkdir()
    rng = np.random.default_rng(3)
    rows = ["path,gender,true_gender,size,loss"]
    for number in range(400):
        pixels = rng.integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number:04}.png")
        true = "w" if number % 2 else "m"
        label = {"w": "woman", "m": "man"}[true if number % 10 else "w"]
        loss = int(number % 20 // 2 < (4 if true == "w" else 1))
        rows.append(f"{number:04}.png,{label},{true},{'small' if number % 3 else 'large'},{loss}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n")
    (folder / "gender.toml").write_text(GENDER)
    (folder / "audit.toml").write_text(CONFIG)
    return folder / "audit.toml"


def run(audit: Path, *words: str, gates: str = "") -> Told:
    audit.write_text(CONFIG + gates)
    return call(*words, audit, "--json")


def summary(told: Told) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(told.out)
    return content


def test_a_gap_is_measured_by_labels_and_by_true_values(audit: Path) -> None:
    told = run(audit, "run")
    assert told.code == 0, told.err
    gaps = {
        (gap["labels"], gap["predicates"][0]["value"]): gap
        for gap in summary(told)["gaps"]
        if gap["level"] == 1
    }
    assert set(gaps) == {(s, v) for s in ("predicted", "truth") for v in ("woman", "man")}
    women = gaps["truth", "woman"]
    assert (women["n"], women["value"], women["state"]) == (200, 0.4, "gap")
    assert women["difference"] == pytest.approx(0.3)
    assert women["difference_low"] < 0.3 < women["difference_high"]
    assert women["adjusted_difference"] == pytest.approx(0.3, abs=0.02)
    assert gaps["predicted", "woman"]["n"] == 240
    exported = audit.parent / "gaps.csv"
    assert call("export", audit.parent / "workspace", "gaps", exported).code == 0
    assert {"run_id", "system", "labels", "metric"} <= set(pl.read_csv(exported).columns)


@pytest.mark.parametrize(
    ("gates", "code", "verdict"),
    [
        ("[gates]\nmax_gap = 0.1\n", 3, "fail"),
        ("[gates]\nmax_gap = 0.5\n", 0, "pass"),
        ("[gates]\nmax_gap = 0.1\nmin_group = 300\n", 0, "insufficient evidence"),
    ],
)
def test_gates_give_a_verdict_and_an_exit_code(
    audit: Path, gates: str, code: int, verdict: str
) -> None:
    assert run(audit, "run").code == 0
    told = run(audit, "fairness", gates=gates)
    assert told.code == code, told.err
    assert summary(told)["gates"] == {"system": verdict}
    assert ("gender = woman (by true attributes" in told.err) == (code == 3)
    store = find_store(audit.parent / "workspace")
    assert FairnessManifest.read(store.folder).verdicts == {"system": verdict}


def test_a_whole_run_whose_gates_fail_still_writes_its_report(audit: Path) -> None:
    told = run(audit, "run", gates="[gates]\nmax_gap = 0.1\n")
    assert told.code == 3
    page = Path(summary(told)["report"]).read_text(encoding="utf-8")
    assert "gender" in page
    assert "fail" in page


def test_a_value_that_nobody_has_is_an_empty_group_and_no_pass(audit: Path) -> None:
    audit.write_text(
        CONFIG.replace('man = ["m"]', 'man = ["m"]\nother = ["o"]') + "[gates]\nmax_gap = 0.5\n"
    )
    told = call("run", audit, "--json")
    assert told.code == 0, told.err
    empty = [gap for gap in summary(told)["gaps"] if gap["predicates"][0]["value"] == "other"]
    assert [(gap["n"], gap["state"], gap["q"]) for gap in empty] == [
        (0, "insufficient evidence", None)
    ]
    assert summary(told)["gates"] == {"system": "insufficient evidence"}


@pytest.mark.parametrize("broken", ["{", "{}"])
def test_a_page_that_lacks_its_groups_is_told(
    audit: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    assert run(audit, "run").code == 0
    kept = audit.parent / "workspace" / "manifests" / "fairness.json"
    kept.write_text(broken)
    caplog.clear()
    told = run(audit, "report")
    assert told.code == 0, told.err
    assert "run `weakspot fairness`" in caplog.text


def test_names_that_are_no_attributes_are_told_before_any_work(audit: Path) -> None:
    told = run(audit, "fairness", gates="[gates]\nmax_gap = 0.1\nattributes = ['gendre']\n")
    assert told.code == 2
    assert "'gendre' is no attribute of this audit; did you mean 'gender'?" in told.err


def test_gates_without_a_sensitive_attribute_are_a_wrong_audit(audit: Path) -> None:
    text = CONFIG.replace('use = ["gender.toml"]\n', "").replace("gender]", "sex]")
    audit.write_text(text + "[gates]\nmax_gap = 0.1\n")
    told = call("run", audit)
    assert told.code == 2
    assert "no attribute is marked sensitive" in told.err


def test_a_gate_on_given_values_does_not_call_them_predicted(audit: Path) -> None:
    start, end = CONFIG.index("[dataset.truth]"), CONFIG.index("[attributes]")
    audit.write_text(CONFIG[:start] + CONFIG[end:] + "[gates]\nmax_gap = 0.1\n")
    told = call("run", audit, "--json", "--no-prefect")
    assert told.code == 3, told.err
    assert "gender = woman (by given labels, n 240)" in told.err
    page = Path(summary(told)["report"]).read_text(encoding="utf-8")
    assert "groups by given labels" in page
    assert "by predicted" not in page
