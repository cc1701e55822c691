"""`weakspot run --json` as a program calls it: one object, logs apart, nothing left behind."""

import sys
from pathlib import Path

import pytest

from flows.run.summary import COUNTS
from tests.flows.command import WatchedRun, call, run_watched

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> WatchedRun:
    return run_watched(tmp_path_factory.getbasetemp())


def test_it_ends_well_and_prints_one_json_object_alone(run: WatchedRun) -> None:
    assert run.told.code == 0, run.told.err
    assert run.told.out.count("\n") == 1
    keys = {
        "run_id",
        "counts",
        "findings",
        "worth_checking",
        "gaps",
        "gates",
        "kept",
        "audit",
        "report",
        "seconds",
        "limit",
        "systems",
    }
    assert set(run.summary) == keys


def test_the_object_counts_all_that_was_made(run: WatchedRun) -> None:
    counts = run.summary["counts"]
    assert set(counts) == set(COUNTS)
    assert all(type(count) is int for count in counts.values())
    made = {"samples": 80, "rejects": 0, "images_embedded": 80, "prompts_encoded": 8,
            "samples_labelled": 80, "errors": 80, "samples_without_error": 0,
            "errors_without_sample": 0}  # fmt: skip
    assert {name: counts[name] for name in made} == made
    assert counts["slices"] > 0


def test_the_object_tells_the_planted_weakness_first(run: WatchedRun) -> None:
    first = run.summary["findings"][0]
    assert [p["attribute"] for p in first["predicates"]] == ["brightness"]
    assert all(set(predicate) == {"attribute", "value"} for predicate in first["predicates"])
    fields = {"n", "error", "rest_error", "score", "p", "q", "state", "ci_low", "ci_high"}
    assert fields <= set(first)
    assert (first["n"], first["error"]) == (20, pytest.approx(1.0))


def test_the_object_names_the_report_and_the_seconds_of_each_stage(run: WatchedRun) -> None:
    page = Path(run.summary["report"])
    assert page == run.audit.folder / "report" / "index.html"
    assert "brightness" in page.read_text(encoding="utf-8")
    seconds = run.summary["seconds"]
    assert list(seconds) == ["samples", "embed", "label", "score", "find", "fairness", "report"]
    assert all(spent >= 0 for spent in seconds.values())


def test_logs_go_to_standard_error_and_a_person_can_follow_them(run: WatchedRun) -> None:
    for words in ("samples: 80, rejects: 0", "embedded: 80 samples", "report: "):
        assert words in run.told.err
    assert "Traceback" not in run.told.err
    assert "Error logging to API" not in run.told.err  # Prefect was told all before its server left


def test_the_server_was_a_child_and_is_gone(run: WatchedRun) -> None:
    assert any("-m flows.run.prefect_server" in process.command for process in run.processes)
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux shows the environment of other processes")
    assert run.left == ()


def test_the_workspace_can_be_exported_and_a_dry_run_finds_nothing_to_do(run: WatchedRun) -> None:
    file = run.audit.folder / "findings.csv"
    assert call("export", run.audit.folder / "workspace", "findings", file).code == 0
    planned = call("run", run.audit.config, "--dry-run")
    assert planned.code == 0, planned.err
    assert {"samples: 80", "to embed: 0", "to measure: 0"} <= set(planned.out.splitlines())
