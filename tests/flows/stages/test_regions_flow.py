"""Regions of a whole audit: stage, command, drafts, tables and page."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.labels.attribute_file import read_attribute
from pipeline.tables import RESULTS, check
from pipeline.workspace.store import Store
from tests.flows.command import call
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

SECOND = """\
[[systems]]
name = "second"
format = "table"
predictions = "errors.csv"
error = "loss"
"""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    """A run of the small audit without the attribute that names its dark images."""
    small = write_audit(tmp_path_factory.mktemp("regions"), count=240)
    small.edit('"image/brightness", "image/contrast"', '"image/contrast"')
    small.edit("[slices]\n", "[regions]\ntop = 2\n[slices]\n")
    run_directly(small.config)
    return small


def read_result(audit: SmallAudit, name: str) -> pl.DataFrame:
    return Store(audit.folder / "workspace").read(name)


def read_report(folder: Path) -> str:
    """Return the pages of the report, one after the other."""
    pages = sorted((folder / "report").rglob("*.html"))
    return "".join(page.read_text() for page in pages)


def test_a_run_that_asks_for_regions_keeps_them(audit: SmallAudit) -> None:
    regions = check(read_result(audit, "regions"), RESULTS["regions"], table="regions")
    assert 1 <= regions.height <= 2
    first = regions.row(0, named=True)
    members = read_result(audit, "region_members").filter(pl.col("rank") == 1)
    assert members.height == first["n"]
    assert members["error"].mean() == pytest.approx(first["error"])
    assert first["error"] > first["expected_error"] + 0.2
    assert set(first["typical"]) <= set(members["sample_id"])
    failed = members.filter(pl.col("error") > 0)["sample_id"]
    assert set(first["failing"]) <= set(failed)
    assert first["words"]


def test_the_page_shows_them_with_their_pictures(audit: SmallAudit) -> None:
    page = read_report(audit.folder)
    assert "Weak regions that no attribute names" in page
    section = page.split("Weak regions that no attribute names")[1].split("<footer>")[0]
    assert "Failing images" in section
    assert "data:image/jpeg" in section
    assert "--draft 1" in section


def test_the_command_prints_the_same_regions(audit: SmallAudit) -> None:
    told = call("regions", audit.config)
    assert told.code == 0
    assert "system, region 1: " in told.out
    shown = json.loads(call("regions", audit.config, "--json").out)["regions"]
    kept = read_result(audit, "regions").sort("rank")
    assert [one["z"] for one in shown] == kept["z"].to_list()


def test_a_draft_is_an_attribute_file(audit: SmallAudit, tmp_path: Path) -> None:
    path = tmp_path / "my region.toml"
    told = call("regions", audit.config, "--draft", 1, path)
    assert told.code == 0, told.err
    assert f"wrote {path}" in told.out
    attribute = read_attribute(path)
    assert attribute.name == "my_region"
    assert set(attribute.values) == {"yes", "no"}
    if attribute.kind == "given":
        table = pl.read_csv(path.with_suffix(".csv"))
        assert table.columns == ["sample_id", "my_region"]
        assert table.height == 240
    again = call("regions", audit.config, "--draft", 1, path)
    assert again.code == 2
    assert "is there already" in again.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--draft", 9, "nine.toml"), "no such region; there are 1"),
        (("--draft", 1, "one.txt"), "ends in .toml"),
        (("--draft", 1, "no/such/folder/one.toml"), "there is no folder"),
        (("--system", "sistem"), "no system 'sistem'"),
        (("--draft", 1, "one.toml", "--system", "sistem"), "no system 'sistem'"),
    ],
)
def test_wrong_arguments_are_explained(
    audit: SmallAudit, arguments: tuple[object, ...], problem: str
) -> None:
    told = call("regions", audit.config, *arguments)
    assert told.code == 2
    assert problem in told.err


def test_a_draft_that_cannot_be_is_refused_before_the_search(tmp_path: Path) -> None:
    small = write_audit(tmp_path, count=20)  # never run: a search would say so
    small.edit("[slices]\n", SECOND + "[slices]\n")
    two = call("regions", small.config, "--draft", 1, tmp_path / "one.toml")
    assert (two.code, "name one with --system, of system, second" in two.err) == (2, True)
    lost = call(
        "regions", small.config, "--draft", 1, tmp_path / "no/one.toml", "--system", "second"
    )
    assert (lost.code, "there is no folder" in lost.err) == (2, True)


def test_an_audit_without_vectors_is_refused(tmp_path: Path) -> None:
    small = write_audit(tmp_path, count=120)
    small.edit('"mine/tone.toml", ', "")
    run_directly(small.config, ("embed", "label", "score"))
    early = call("regions", small.config)
    assert "nothing was searched yet" in early.err
    run_directly(small.config)
    told = call("regions", small.config)
    assert told.code == 1
    assert "no attribute of this audit needs any" in told.err
    assert "Weak regions" not in read_report(tmp_path)
    small.edit("[slices]\n", "[regions]\n[slices]\n")
    asked = call("run", small.config, "--no-prefect")
    assert asked.code == 2
    assert "[regions]: they are searched in vectors" in asked.err


def test_too_few_samples_have_no_section(tmp_path: Path) -> None:
    small = write_audit(tmp_path, count=90)
    small.edit("[slices]\n", "[regions]\n[slices]\n")
    run_directly(small.config)
    assert read_result(small, "regions").is_empty()
    assert "Weak regions" not in read_report(tmp_path)
