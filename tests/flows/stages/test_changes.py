"""What a run says of the time since the run before it."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from flows.stages.changes import compare_findings, compare_samples
from pipeline.tables import FINDINGS
from pipeline.workspace.store import find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit


def samples(**contents: str) -> pl.DataFrame:
    return pl.DataFrame({"sample_id": list(contents), "content_key": list(contents.values())})


def findings(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Each row: attribute, value, state."""
    made = [
        {
            "run_id": "r", "system": "s", "rank": rank, "n": 5, "state": state,
            "predicates": [{"attribute": attribute, "value": value}],
        }
        for rank, (attribute, value, state) in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(made, schema={name: FINDINGS[name] for name in made[0]})


def test_samples_are_counted_by_name_and_content() -> None:
    before, now = samples(a="1", b="2", c="3"), samples(b="2", c="4", d="5", e="6")
    counts = {row["change"]: row["n"] for row in compare_samples(before, now)}
    assert counts == {"new": 2, "changed": 1, "gone": 1}


def test_findings_come_and_go() -> None:
    before = findings(("hat", "yes", "confirmed"), ("blur", "high", "likely"))
    now = findings(("hat", "yes", "likely"), ("tone", "dark", "confirmed"))
    rows = compare_findings(before, now, bins_before={}, bins={})
    assert [(row["change"], row["predicates"][0]["attribute"]) for row in rows] == [
        ("new", "tone"), ("gone", "blur"),
    ]  # fmt: skip


def test_what_does_not_hold_up_is_neither_new_nor_gone() -> None:
    before = findings(("hat", "yes", "insufficient evidence"), ("tone", "dark", "confirmed"))
    now = findings(("hat", "yes", "confirmed"), ("tone", "dark", "unclear: check labels"))
    rows = compare_findings(before, now, bins_before={}, bins={})
    assert [row["change"] for row in rows] == ["new", "gone"]


def test_a_bin_whose_edges_moved_is_the_same_finding() -> None:
    then = {"brightness": ("<= 0.3", "(0.3, 0.6]", "> 0.6")}
    now = {"brightness": ("<= 0.31", "(0.31, 0.62]", "> 0.62")}
    old = findings(("brightness", "<= 0.3", "confirmed"), ("brightness", "> 0.3", "likely"))
    new = findings(("brightness", "<= 0.31", "confirmed"), ("brightness", "> 0.31", "likely"))
    assert compare_findings(old, new, bins_before=then, bins=now) == []
    other = findings(("brightness", "> 0.62", "confirmed"), ("brightness", "> 0.31", "likely"))
    rows = compare_findings(old, other, bins_before=then, bins=now)
    assert [row["change"] for row in rows] == ["new", "gone"]


@pytest.mark.slow
def test_the_report_says_what_changed(small_audit: SmallAudit) -> None:
    small_audit.edit(
        'use = ["mine/tone.toml", "image/brightness", "image/contrast"]',
        'use = ["image/brightness"]',
    )
    small_audit.edit('[encoder]\nmodel = "local-dir:tiny"\n', "")
    first = run_directly(small_audit.config)
    assert "Since the last search" not in Path(first.report or "").read_text()
    images = small_audit.images
    shutil.copy(images / "0001.png", images / "0002.png")  # changed
    (images / "0004.png").unlink()
    shutil.copy(images / "0003.png", images / "new.png")
    shutil.copy(images / "0003.png", images / "newer.png")
    second = run_directly(small_audit.config)
    page = " ".join(Path(second.report or "").read_text().split())
    assert "2 new images, 1 with other content, 1 gone" in page
    store = find_store(small_audit.folder / "workspace")
    changes = store.read_result(second.run_id, "changes")
    assert changes is not None
    assert set(changes["since_run_id"]) == {first.run_id}
    assert len(list(store.dataset.glob("searched-*.parquet"))) == 1
    limited = run_directly(small_audit.config, limit=80)  # is compared with no full run
    assert store.read_result(limited.run_id, "changes") is None
    third = run_directly(small_audit.config)
    changes = store.read_result(third.run_id, "changes")
    assert changes is not None
    assert set(changes["since_run_id"]) == {second.run_id}
    assert changes.filter(kind="samples")["n"].sum() == 0
