"""Stages run alone after something changed: nothing old is passed off as new."""

import json
import os
import shutil
from collections.abc import Sequence

import polars as pl
import pytest

from flows.run.summary import Summary
from flows.stages.report import gather_report
from pipeline.exceptions import SearchError, StoreError
from pipeline.workspace.store import find_store
from tests.flows.direct import open_audit, run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits, each changed and run again


def run(audit: SmallAudit, stages: Sequence[str] | None = None) -> Summary:
    return run_directly(audit.config, stages)


def tones(audit: SmallAudit) -> pl.DataFrame:
    store = find_store(audit.folder / "workspace")
    labels = store.read("labels").filter(pl.col("attribute") == "tone")
    samples = store.read("samples").select("sample_id", "path")
    return labels.join(samples, on="sample_id").select("path", "value", "score").sort("path")


def test_an_image_that_changed_is_labelled_again(finished_audit: SmallAudit) -> None:
    before = tones(finished_audit)
    shutil.copy(finished_audit.images / "0003.png", finished_audit.images / "0000.png")
    run(finished_audit)
    after = tones(finished_audit)
    assert after["path"].to_list() == before["path"].to_list()
    assert after["score"][0] == after["score"][3] != before["score"][0]


def test_images_of_another_folder_are_not_taken_for_those_of_the_first(
    small_audit: SmallAudit,
) -> None:
    run(small_audit, ["embed"])
    other = small_audit.folder / "other"
    other.mkdir()
    image = small_audit.images / "0000.png"
    twin = other / image.name
    twin.write_bytes(image.read_bytes()[:-1] + b"\0")  # of one size and time, but not the same
    os.utime(twin, ns=(image.stat().st_atime_ns, image.stat().st_mtime_ns))
    store = find_store(small_audit.folder / "workspace")
    first = store.read_samples()["content_key"][0]
    small_audit.edit('images = "images"', 'images = "other"')
    run(small_audit, ["embed"])
    assert store.read_samples()["content_key"][0] != first


def test_a_report_is_written_after_the_images_are_gone(finished_audit: SmallAudit) -> None:
    shutil.rmtree(finished_audit.images)
    page = read_report(run(finished_audit, ["report"]).report)
    assert "160 images" in page


def test_a_report_shows_the_bins_of_a_measure_in_their_order(finished_audit: SmallAudit) -> None:
    data = gather_report(*open_audit(finished_audit.config))
    bins = data.coverage.filter(pl.col("attribute") == "contrast")["value"].to_list()
    edges = next(a.edges for a in data.attributes if a.name == "contrast")
    starts = [*(f"<= {edges[0]}", f"({edges[0]}, ", f"({edges[1]}, "), f"> {edges[-1]}"]
    assert [bins[i].startswith(start) for i, start in enumerate(starts)] == [True] * 4


def test_a_report_tells_what_the_truth_file_lacks(small_audit: SmallAudit) -> None:
    (small_audit.folder / "truth.csv").write_text("path,tone\n0000.png,dark\nother.png,light\n")
    truth = '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.tone]\ncolumn = "tone"\n'
    small_audit.edit("[encoder]", truth + 'dark = ["dark"]\nlight = ["light"]\n[encoder]')
    run(small_audit)
    notes = " ".join(gather_report(*open_audit(small_audit.config)).notes)
    assert "1 of 2 rows name no sample" in notes
    assert "159 samples have no row" in notes


def test_a_true_value_goes_when_its_file_name_is_no_longer_unique(small_audit: SmallAudit) -> None:
    (small_audit.folder / "truth.csv").write_text("file,tone\n0000.png,dark\n")
    truth = '[dataset.truth]\nfile = "truth.csv"\nkey = "file"\n[dataset.truth.tone]\n'
    small_audit.edit("[encoder]", truth + 'column = "tone"\ndark = ["dark"]\n[encoder]')
    inside = small_audit.images / "inside"
    inside.mkdir()
    (small_audit.images / "0000.png").rename(inside / "0000.png")
    for twin, expected in ((False, ["dark"]), (True, [])):
        if twin:
            shutil.copytree(inside, small_audit.images / "twin")
        run(small_audit, ["embed", "label"])
        labels = find_store(small_audit.folder / "workspace").read("labels")
        found = labels.filter(source="truth").filter(pl.col("value") != "unknown")
        assert found["value"].to_list() == expected


def test_a_search_of_attributes_and_systems_that_changed_is_refused(
    finished_audit: SmallAudit,
) -> None:
    finished_audit.edit('"image/contrast"', '"image/sharpness"')
    finished_audit.edit('error = "loss"', 'error = "column"\ncolumn = "loss"')
    expected = r"(?s)attributes contrast, sharpness changed.*systems system changed"
    with pytest.raises(SearchError, match=expected):
        run(finished_audit, ["find"])


def test_a_report_of_what_was_not_searched_is_refused(finished_audit: SmallAudit) -> None:
    finished_audit.edit('name = "system"', 'name = "renamed"')
    with pytest.raises(SearchError, match="systems renamed, system changed"):
        run(finished_audit, ["report"])
    run(finished_audit, ["score"])
    with pytest.raises(StoreError, match="systems renamed, system are not those"):
        run(finished_audit, ["report"])
    finished_audit.edit('name = "renamed"', 'name = "system"')
    finished_audit.edit('"image/contrast"', '"image/sharpness"')
    run(finished_audit, ["label", "score"])
    with pytest.raises(StoreError, match=r"(?s)`weakspot find` first.*the labels are not those"):
        run(finished_audit, ["report"])


TRUTH = (
    '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.tone]\ncolumn = "tone"\n'
    'dark = ["d"]\nlight = ["l"]\n[encoder]'
)
EDITS = {  # what is edited in audit.toml, and the command that makes it again
    "an attribute": ('"image/contrast"', '"image/sharpness"', "label"),
    "the column of a system": ('error = "loss"', 'error = "column"\ncolumn = "other"', "score"),
    "a setting of the search": ("max_level = 2", "max_level = 1", "find"),
    "the domain": ("[slices]", "[domain]\nlevel = 1\n[slices]", "find"),
    "the encoder": ('"local-dir:tiny"', '"local-dir:tiny"\nprecision = "fp32"', "label"),
    "the dataset": ('images = "images"', 'images = "images"\nsplit = "val"', "run"),
    "the truth": ("[encoder]", TRUTH, "label"),
}


@pytest.mark.parametrize("edited", EDITS)
def test_a_report_after_an_edit_is_refused_with_the_command_to_run(
    finished_audit: SmallAudit, edited: str
) -> None:
    (finished_audit.folder / "truth.csv").write_text("path,tone\n0000.png,d\n0001.png,l\n")
    old, new, command = EDITS[edited]
    finished_audit.edit(old, new)
    with pytest.raises(
        (SearchError, StoreError), match=f"run `weakspot {command}`|`weakspot {command}` first"
    ):
        run(finished_audit, ["report"])
    finished_audit.edit(new, old)
    assert run(finished_audit, ["report"]).report is not None


def test_a_report_after_an_edited_prompt_or_cell_is_refused(finished_audit: SmallAudit) -> None:
    tone = finished_audit.folder / "mine" / "tone.toml"
    tone.write_text("# a comment\n" + tone.read_text())
    run(finished_audit, ["report"])
    tone.write_text(tone.read_text().replace("a dim scene", "a scene at dusk"))
    with pytest.raises(SearchError, match="attributes tone changed; run `weakspot label` first"):
        run(finished_audit, ["report"])


@pytest.mark.parametrize("stage", ["find", "fairness"])
def test_a_search_after_an_edited_truth_is_refused(small_audit: SmallAudit, stage: str) -> None:
    (small_audit.folder / "truth.csv").write_text("path,tone\n0000.png,d\n0001.png,l\n")
    small_audit.edit("[encoder]", TRUTH)
    small_audit.edit("[slices]", '[fairness]\nattributes = ["tone"]\n[slices]')
    run(small_audit)
    small_audit.edit('light = ["l"]', 'light = ["l", "w"]')
    with pytest.raises(SearchError, match=r"\[dataset.truth\] changed; run `weakspot label`"):
        run(small_audit, [stage])


def test_what_an_earlier_version_made_can_still_be_reported(finished_audit: SmallAudit) -> None:
    """Its manifests lack the hashes of settings, its table of runs the limit."""
    workspace = finished_audit.folder / "workspace"
    lacking = ("asked", "limit", "truth_asked", "encoder_asked", "dataset_asked")
    for stage in ("samples", "label", "score"):
        path = workspace / "manifests" / f"{stage}.json"
        content = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in content.items() if k not in lacking}))
    with find_store(workspace).connect(read_only=False) as connection:
        search = connection.sql("SELECT search FROM runs").pl().item()
        old = {k: v for k, v in json.loads(search).items() if k not in lacking}
        connection.execute("UPDATE runs SET search = ?", [json.dumps(old)])
        connection.execute("ALTER TABLE runs DROP COLUMN sample_limit")
        connection.execute("UPDATE meta SET version = 1")
    assert find_store(workspace).read("runs")["sample_limit"].to_list() == [None]
    assert run(finished_audit, ["report"]).report is not None
    assert find_store(workspace).read("runs").height == 2


def test_a_search_alone_names_the_encoder_of_its_labels(small_audit: SmallAudit) -> None:
    first = run(small_audit)
    run(small_audit, ["find"])
    data = gather_report(*open_audit(small_audit.config))
    assert data.run_id != first.run_id
    assert data.encoder_id is not None
    store = find_store(small_audit.folder / "workspace")
    assert store.read("runs")["encoder_id"].to_list() == [data.encoder_id] * 2
    assert "none was needed" not in read_report(run(small_audit, ["report"]).report)
