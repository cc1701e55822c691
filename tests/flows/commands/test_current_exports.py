"""Exports are of the latest run and the current labels; `wide` has one row a sample with all."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.flows.command import Told, call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow  # whole audits

TRUTH = (
    '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.tone]\ncolumn = "tone"\n'
    'dark = ["d"]\nlight = ["l"]\n[encoder]'
)
GATES = '[fairness]\nattributes = ["brightness"]\n[gates]\nmax_gap = 5\n[slices]'
PER_RUN = ("findings", "slices", "combinations", "pairs", "gaps", "verdicts")


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    """Run an audit, edit what it asks for, and run it again."""
    audit = write_audit(tmp_path_factory.mktemp("twice"), count=80)
    (audit.folder / "truth.csv").write_text(
        "path,tone\n" + "".join(f"{n:04}.png,{'d' if n % 4 == 0 else 'l'}\n" for n in range(79))
    )
    audit.edit("[encoder]", TRUTH)
    audit.edit("[slices]", GATES)
    audit.edit('use = ["mine/tone.toml", "image/brightness", "image/contrast"]',
               'use = ["mine/tone.toml", "image/brightness"]')  # fmt: skip
    run_directly(audit.config)
    tone = audit.folder / "mine" / "tone.toml"
    tone.write_text(tone.read_text().replace("a dim scene", "a scene at dusk"))
    errors = audit.folder / "errors.csv"
    errors.write_text(errors.read_text().replace("0079.png,0\n", ""))
    run_directly(audit.config)
    return audit


def export(audit: SmallAudit, table: str, *options: str) -> tuple[pl.DataFrame, Told]:
    file = audit.folder / f"{table}.parquet"
    told = call("export", audit.folder / "workspace", table, file, *options)
    assert told.code == 0, told.err
    return pl.read_parquet(file), told


@pytest.mark.parametrize("table", PER_RUN)
def test_the_latest_run_alone_is_exported_unless_all_are_asked_for(
    audit: SmallAudit, table: str
) -> None:
    runs = export(audit, "runs")[0].sort("started_at", "run_id")["run_id"]
    latest, told = export(audit, table)
    assert latest["run_id"].unique().to_list() == [runs[-1]]
    every, silent = export(audit, table, "--all-runs")
    assert set(every["run_id"]) == set(runs)
    assert f"note: {every.height - latest.height} rows of earlier runs or settings" in told.err
    assert silent.err == ""


def test_labels_and_errors_are_those_made_last(audit: SmallAudit) -> None:
    labels, _ = export(audit, "labels")
    counts = dict(labels.group_by("attribute", "source").len().select(
        pl.concat_str("attribute", "source", separator=" "), "len").iter_rows())  # fmt: skip
    assert counts == {"tone zero-shot": 80, "tone truth": 80, "brightness measured": 80}
    assert export(audit, "labels", "--all-runs")[0].height == 320
    assert export(audit, "errors")[0].height == 79
    assert export(audit, "errors", "--all-runs")[0].height == 159


def test_the_wide_table_has_one_row_a_sample_with_all_that_is_known_of_it(
    audit: SmallAudit,
) -> None:
    wide, _ = export(audit, "wide")
    assert wide.height == 80
    named = {"tone", "score.tone", "truth.tone", "brightness", "error.system", "sample.path"}
    assert named <= set(wide.columns)
    first, last = (
        wide.sort("sample.path").row(0, named=True),
        wide.sort("sample.path").row(-1, named=True),
    )
    assert (first["sample.path"], first["truth.tone"], first["error.system"]) == (
        "0000.png",
        "dark",
        1,
    )
    assert 0.5 <= first["score.tone"] <= 1
    assert first["brightness"].startswith("<= ")
    assert (last["truth.tone"], last["error.system"]) == ("unknown", None)


def test_the_wide_table_feeds_the_search_and_gives_the_findings_of_the_run(
    audit: SmallAudit,
) -> None:
    file = audit.folder / "wide.csv"
    assert call("export", audit.folder / "workspace", "wide", file).code == 0
    told = call("slices", file, "--error", "error.system", "--max-level", 2, "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out)["findings"][0]
    kept = export(audit, "findings")[0].row(0, named=True)
    for name in ("predicates", "n", "error", "rest_error"):
        assert (
            found[name] == pytest.approx(kept[name])
            if name != "predicates"
            else found[name] == kept[name]
        )
    assert "1 samples without an error in 'error.system' left out" in told.err
    named = {p["attribute"] for s in json.loads(told.out)["slices"] for p in s["predicates"]}
    assert named <= {"tone", "brightness"}
    asked = call("slices", file, "--error", "error.system", "--attributes", "truth.tone", "--json")
    assert json.loads(asked.out)["findings"][0]["predicates"] == [
        {"attribute": "truth.tone", "value": "dark"}
    ]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("limited"), count=60)
    audit.edit('use = ["mine/tone.toml", "image/brightness", "image/contrast"]',
               'use = ["image/brightness"]')  # fmt: skip
    run_directly(audit.config)
    run_directly(audit.config, limit=40)
    return audit


@pytest.mark.parametrize("table", ["samples", "labels", "errors", "findings", "slices", "wide"])
def test_rows_of_limited_samples_are_marked_in_the_file(limited: SmallAudit, table: str) -> None:
    frame, told = export(limited, table)
    assert frame["sample_limit"].unique().to_list() == [40]
    assert "rows are of limited samples: the first 40 alone" in told.err


def test_rows_of_a_full_run_among_all_have_no_limit(limited: SmallAudit) -> None:
    frame, _ = export(limited, "slices", "--all-runs")
    assert set(frame["sample_limit"]) == {None, 40}
    file = limited.folder / "wide.csv"
    assert call("export", limited.folder / "workspace", "wide", file).code == 0
    told = call("slices", file, "--error", "error.system", "--json")
    slices = json.loads(told.out)["slices"]
    assert {p["attribute"] for s in slices for p in s["predicates"]} == {"brightness"}


def test_a_workspace_that_labelled_nothing_yet_has_no_wide_table(tmp_path: Path) -> None:
    audit = write_audit(tmp_path, count=4)
    run_directly(audit.config, ["embed"])
    told = call("export", tmp_path / "workspace", "wide", tmp_path / "wide.csv")
    assert told.code == 1
    assert "run `weakspot label`" in told.err


def test_the_wide_table_of_objects_joins_labels_of_the_image_and_the_detection(
    tmp_path: Path,
) -> None:
    images = []
    (tmp_path / "images").mkdir()
    for number in range(4):
        pixels = np.full((40, 60, 3), 60 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 60, "height": 40})
    boxes = [[2, 2, 20, 30], [30, 5, 20, 30]]
    truth = [
        {"id": 2 * n + k, "image_id": n, "category_id": 1, "bbox": box, "area": 600, "iscrowd": 0}
        for n in range(4)
        for k, box in enumerate(boxes)
    ]
    found = [{"image_id": n, "category_id": 1, "bbox": boxes[0], "score": 0.9} for n in range(4)]
    categories = [{"id": 1, "name": "person"}]
    content = {"images": images, "annotations": truth, "categories": categories}
    (tmp_path / "truth.json").write_text(json.dumps(content))
    (tmp_path / "found.json").write_text(json.dumps(found))
    (tmp_path / "audit.toml").write_text(
        'name = "o"\n[dataset]\nformat = "coco"\nimages = "images"\nannotations = "truth.json"\n'
        'sample = "object"\n[attributes]\nuse = ["object/position", "image/brightness"]\n'
        '[[systems]]\nname = "d"\nformat = "coco-detections"\npredictions = "found.json"\n'
        'error = "miss"\n'
    )
    run_directly(tmp_path / "audit.toml")
    file = tmp_path / "wide.parquet"
    assert call("export", tmp_path / "workspace", "wide", file).code == 0
    wide = pl.read_parquet(file).sort("sample.path", "sample.x")
    assert wide["error.d"].to_list() == [0.0, 1.0] * 4
    assert wide["iou.d"].to_list() == [pytest.approx(1.0), None] * 4
    assert wide["confidence.d"].to_list() == [0.9, None] * 4
    assert wide["brightness"].null_count() == 0
    assert wide.filter(pl.col("sample.path") == "0.png")["brightness"].n_unique() == 1
