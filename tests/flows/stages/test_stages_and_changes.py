"""Stages run alone after something changed: nothing old is passed off as new."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from flows.run.summary import Summary
from flows.stages.report import gather_report
from pipeline.exceptions import SearchError, StoreError
from pipeline.workspace.store import find_store
from tests.flows.direct import open_audit, run_directly
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits, each changed and run again


def run(audit: SmallAudit, stages: Sequence[str] | None = None) -> Summary:
    return run_directly(audit.config, stages)


def tones(audit: SmallAudit) -> pl.DataFrame:
    store = find_store(audit.folder / "workspace")
    labels = store.read("labels").filter(pl.col("attribute") == "tone")
    samples = store.read("samples").select("sample_id", "path")
    return labels.join(samples, on="sample_id").select("path", "value", "score").sort("path")


def test_an_image_that_changed_is_labelled_again(small_audit: SmallAudit) -> None:
    run(small_audit)
    before = tones(small_audit)
    shutil.copy(small_audit.images / "0003.png", small_audit.images / "0000.png")
    run(small_audit)
    after = tones(small_audit)
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


def test_a_report_is_written_after_the_images_are_gone(small_audit: SmallAudit) -> None:
    run(small_audit)
    shutil.rmtree(small_audit.images)
    page = Path(run(small_audit, ["report"]).report or "").read_text()
    assert "160 images" in page


def test_a_report_shows_the_bins_of_a_measure_in_their_order(small_audit: SmallAudit) -> None:
    run(small_audit)
    data = gather_report(*open_audit(small_audit.config))
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
    small_audit: SmallAudit,
) -> None:
    run(small_audit)
    small_audit.edit('"image/contrast"', '"image/sharpness"')
    small_audit.edit('error = "loss"', 'error = "column"\ncolumn = "loss"')
    expected = r"(?s)attributes contrast, sharpness changed.*systems system changed"
    with pytest.raises(SearchError, match=expected):
        run(small_audit, ["find"])


def test_a_report_of_what_was_not_searched_is_refused(small_audit: SmallAudit) -> None:
    run(small_audit)
    small_audit.edit('name = "system"', 'name = "renamed"')
    with pytest.raises(StoreError, match="systems renamed, system are not those"):
        run(small_audit, ["report"])
    small_audit.edit('name = "renamed"', 'name = "system"')
    small_audit.edit('"image/contrast"', '"image/sharpness"')
    run(small_audit, ["label"])
    with pytest.raises(StoreError, match=r"(?s)`weakspot find` first.*the labels are not those"):
        run(small_audit, ["report"])
