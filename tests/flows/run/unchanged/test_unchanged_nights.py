"""What nothing changed about is not made again; whatever is read and changed is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from flows.run.audit import execute_audit
from flows.run.runner import DirectRunner
from flows.run.summary import GatesFailedError, Summary
from flows.run.unchanged.read_before import list_sources
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.store import find_store
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow  # audits, each changed and run again

ROOT = Path(__file__).parents[4]
ALL = {"find", "fairness", "report"}
FOUND = {"find", "report"}
GATED = '[fairness]\nattributes = ["tone"]\n[gates]\nmax_gap = 2.0\n[slices]'


def run(audit: SmallAudit, **options: bool) -> Summary:
    return execute_audit(audit.config, DirectRunner(), **options)  # type: ignore[arg-type]


def workspace(audit: SmallAudit) -> Path:
    return audit.folder / "workspace"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> SmallAudit:
    audit = write_audit(tmp_path_factory.mktemp("nights"), count=60)
    audit.edit("[slices]", GATED)
    run(audit)
    return audit


def answer(audit: SmallAudit) -> None:
    sample = find_store(workspace(audit)).read_samples()["sample_id"][0]
    Journal(workspace(audit)).append(
        Answer(
            sample_id=sample, attribute="tone", shown="dark", answer="right", value="dark",
            checker="ann", checked_at="2026-01-01T00:00:00Z",
        )
    )  # fmt: skip


def replace_in(path: str, old: str, new: str) -> Callable[[SmallAudit], None]:
    def edit(audit: SmallAudit) -> None:
        text = (audit.folder / path).read_text()
        assert old in text
        (audit.folder / path).write_text(text.replace(old, new, 1))

    return edit


def change_image(audit: SmallAudit) -> None:
    shutil.copy(audit.images / "0003.png", audit.images / "0000.png")


def delete_image(audit: SmallAudit) -> None:
    (audit.images / "0059.png").unlink()


def rename_image(audit: SmallAudit) -> None:
    (audit.images / "0057.png").rename(audit.images / "renamed.png")


def add_image(audit: SmallAudit) -> None:
    shutil.copy(audit.images / "0003.png", audit.images / "new.png")


def add_table(audit: SmallAudit) -> None:
    (workspace(audit) / "maps").mkdir()
    (workspace(audit) / "maps" / "positions.parquet").write_bytes(b"made by another stage")


def note_other(key: str) -> Callable[[SmallAudit], None]:
    """Let what is noted of the last run be of another version: as if that had made it."""

    def edit(audit: SmallAudit) -> None:
        for path in (workspace(audit) / "finished").glob("*.json"):
            noted = json.loads(path.read_text())
            assert key in noted["inputs"]
            noted["inputs"][key] = "another"
            path.write_text(json.dumps(noted))

    return edit


def remove(pattern: str) -> Callable[[SmallAudit], None]:
    def edit(audit: SmallAudit) -> None:
        paths = list(audit.folder.glob(pattern))
        assert paths
        for path in paths:
            path.unlink()

    return edit


def append_to(pattern: str) -> Callable[[SmallAudit], None]:
    def edit(audit: SmallAudit) -> None:
        paths = list(audit.folder.glob(pattern))
        assert paths
        for path in paths:
            path.write_bytes(path.read_bytes() + b"x")

    return edit


def execute(query: str) -> Callable[[SmallAudit], None]:
    def edit(audit: SmallAudit) -> None:
        with find_store(workspace(audit)).connect(read_only=False) as connection:
            connection.execute(query)

    return edit


def tear_notes(audit: SmallAudit) -> None:
    for path in (workspace(audit) / "finished").glob("*.json"):
        path.write_text("{")


CHANGES: dict[str, tuple[Callable[[SmallAudit], None], set[str]]] = {
    "an edited attribute file": (replace_in("mine/tone.toml", "a dim", "a dusky"), ALL),
    "an attribute that is no longer ordered": (
        replace_in("mine/tone.toml", "min_margin", "ordered = true\nmin_margin"), ALL
    ),
    "a new check": (answer, ALL),
    "replaced predictions": (replace_in("errors.csv", "0001.png,1", "0001.png,0.5"), ALL),
    "a changed gate": (replace_in("audit.toml", "max_gap = 2.0", "max_gap = 1.9"),
                       {"fairness", "report"}),
    "other groups": (replace_in("audit.toml", "[fairness]", "[fairness]\nmin_group = 5"),
                     {"fairness", "report"}),
    "a setting of the report": (
        replace_in("audit.toml", "[slices]", "[report]\nkeep = 3\n[slices]"), {"report"}
    ),
    "a changed image": (change_image, ALL),
    "a deleted image": (delete_image, ALL),
    "a renamed image": (rename_image, ALL),
    "a new image": (add_image, ALL),
    "another seed": (replace_in("audit.toml", "max_level = 2", "max_level = 2\nseed = 5"), ALL),
    "another level": (replace_in("audit.toml", "max_level = 2", "max_level = 1"), ALL),
    "another name": (replace_in("audit.toml", 'name = "small"', 'name = "other"'), ALL),
    "another package": (note_other("versions"), ALL),
    "another version of the code": (note_other("code"), ALL),
    "other vectors": (note_other("vectors"), ALL),
    "a table that the version before did not know": (add_table, ALL),
    "a report removed by hand": (remove("report/index.html"), {"report"}),
    "a report edited by hand": (append_to("report/index.html"), {"report"}),
    "a page of the report removed": (remove("report/runs/*/index.html"), {"report"}),
    "a history removed": (remove("report/history.html"), {"report"}),
    "a family removed": (remove("workspace/slices/*.parquet"), FOUND),
    "a family damaged": (append_to("workspace/slices/*.parquet"), FOUND),
    "what to collect removed": (remove("workspace/results/*/collection.parquet"), FOUND),
    "gaps removed": (remove("workspace/results/*/gaps.parquet"), {"fairness", "report"}),
    "findings removed": (execute("DELETE FROM findings"), FOUND),
    "a finding edited": (execute("UPDATE findings SET error = error + 1"), FOUND),
    "runs removed": (execute("DELETE FROM runs"), FOUND),
    "a label edited": (execute("UPDATE labels SET value = 'light' WHERE attribute = 'tone'"), ALL),
    "a manifest of groups removed": (remove("workspace/manifests/fairness.json"),
                                     {"fairness", "report"}),
    "notes removed": (remove("workspace/finished/*.json"), ALL),
    "notes torn": (tear_notes, ALL),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_made_again(settled: SmallAudit, change: str) -> None:
    calm = run(settled)  # after the change before this one, whichever test made it
    if set(calm.kept) != ALL:
        calm = run(settled)
    assert set(calm.kept) == ALL
    assert Path(calm.report or "").exists()
    edit, expected = CHANGES[change]
    edit(settled)
    made = run(settled)
    assert ALL - set(made.kept) >= expected  # the part that counts: nothing old is kept
    assert ALL - set(made.kept) == expected


def test_files_of_the_run_that_goes_on_are_no_change(settled: SmallAudit) -> None:
    run(settled)
    for name in ("run.flow", "run.pid", "weakspot.duckdb.damaged-20260101"):
        (workspace(settled) / name).write_text(name)
    assert set(run(settled).kept) == ALL


def test_the_code_is_that_of_all_our_packages() -> None:
    rooms = {path.relative_to(ROOT).parts[0] for path in list_sources()}
    assert rooms == {"attributes", "pipeline", "reports", "flows"}
    suffixes = {path.suffix for path in list_sources()}
    assert suffixes >= {".py", ".html", ".css", ".toml"}
    assert not suffixes & {".pyc", ".nbi"}


def test_what_is_kept_is_what_a_new_search_finds(settled: SmallAudit) -> None:
    run(settled)
    kept, fresh = run(settled), run(settled, again=True)
    assert set(kept.kept) == ALL
    assert fresh.kept == {}
    assert fresh.findings == kept.findings
    assert fresh.gaps == kept.gaps
    assert fresh.gates == kept.gates != {}
    assert fresh.counts["slices"] == kept.counts["slices"]


def test_a_stage_asked_for_alone_is_done(settled: SmallAudit) -> None:
    run(settled)
    before = set(find_store(workspace(settled)).read("findings")["run_id"])
    alone = execute_audit(settled.config, DirectRunner(), stages=["find"])
    assert alone.kept == {}
    after = set(find_store(workspace(settled)).read("findings")["run_id"])
    assert after - before == {alone.run_id}


def test_a_limited_run_is_not_taken_for_a_full_one(settled: SmallAudit) -> None:
    run(settled)
    limited = execute_audit(settled.config, DirectRunner(), limit=40)
    assert limited.kept == {}
    assert run(settled).kept == {}
    assert set(run(settled).kept) == ALL


def test_gates_that_fail_fail_every_night(settled: SmallAudit) -> None:
    settled.edit("[gates]\n", "[gates]\nmax_error = 0.001\n")
    try:
        for kept in (set(), ALL):
            with pytest.raises(GatesFailedError) as failed:
                run(settled)
            if kept:
                assert set(failed.value.summary.kept) == kept
                assert "max_error" in str(failed.value)
    finally:
        settled.edit("max_error = 0.001\n", "")


def test_exports_are_of_the_run_that_searched(settled: SmallAudit) -> None:
    run(settled)
    kept = run(settled)
    runs = find_store(workspace(settled)).read("runs")
    own = runs.filter(pl.col("run_id") == kept.run_id)
    assert own["search"].to_list() == [""]
    assert kept.kept["find"] in runs.filter(pl.col("search") != "")["run_id"].to_list()


def test_a_search_that_ended_early_is_not_kept(settled: SmallAudit) -> None:
    """What is noted goes before a stage begins, and comes back when all else is on disk."""
    run(settled)
    settled.edit("max_level = ", "confirm = 2\nmax_level = ")  # refused when the audit is read
    with pytest.raises(Exception, match="confirm"):
        run(settled)
    settled.edit("confirm = 2\n", "")
    assert set(run(settled).kept) == ALL
    (workspace(settled) / "finished" / "find.json").unlink()
    assert "find" not in run(settled).kept
