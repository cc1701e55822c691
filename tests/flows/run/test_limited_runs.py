"""A run of the first samples alone: marked, judged on request, never mixed with a full one."""

from pathlib import Path

import polars as pl
import pytest

from flows.run.audit import execute_audit
from flows.run.runner import DirectRunner
from flows.run.summary import GatesFailedError, Summary
from pipeline.exceptions import SearchError, StoreError
from pipeline.workspace.store import find_store
from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit

pytestmark = pytest.mark.slow  # whole audits

GATES = """\
[fairness]
attributes = ["brightness"]
min_group = 5
[gates]
max_gap = 0.1
min_group = 5
[slices]"""


@pytest.fixture
def gated(small_audit: SmallAudit) -> SmallAudit:
    """The darkest quarter fails, so that its gate does."""
    small_audit.edit("[slices]", GATES)
    return small_audit


def run(audit: SmallAudit, *stages: str, limit: int | None = None) -> Summary:
    return run_directly(audit.config, stages or None, limit)


def test_gates_judge_limited_samples_on_request_alone(gated: SmallAudit) -> None:
    summary = run(gated, limit=80)
    assert summary.gates == {}
    assert summary.gaps
    store = find_store(gated.folder / "workspace")
    assert store.read_result(summary.run_id, "verdicts") is None
    assert run(gated, "fairness", limit=80).gates == {}
    with pytest.raises(GatesFailedError) as failed:
        execute_audit(gated.config, DirectRunner(), limit=80, judge_limited=True)
    assert failed.value.summary.gates == {"system": "fail"}
    with pytest.raises(GatesFailedError):
        run(gated)


def test_a_limited_report_is_marked_and_lies_beside_the_full_one(gated: SmallAudit) -> None:
    with pytest.raises(GatesFailedError) as failed:
        run(gated)
    full = Path(failed.value.summary.report or "")
    before = full.read_bytes()
    limited = Path(run(gated, limit=80).report or "")
    assert limited == full.parent / "limited" / "index.html"
    assert full.read_bytes() == before
    page = limited.read_text()
    assert "Only the first 80 images of the dataset were taken" in page
    assert "the gates did not judge them" in page
    assert "(the first 80 alone)</title>" in page
    assert b'id="limited"' not in before
    assert Path(run(gated, "report").report or "") == limited
    assert full.read_bytes() == before


def test_a_limited_run_is_marked_in_what_it_returns_and_in_the_table_of_runs(
    small_audit: SmallAudit,
) -> None:
    assert run(small_audit, limit=40).limit == 40
    assert '"limit": 40' in run(small_audit, "find", limit=40).to_json()
    assert run(small_audit).limit is None
    runs = find_store(small_audit.folder / "workspace").read("runs")
    assert runs.sort("started_at")["sample_limit"].to_list() == [40, 40, None]


@pytest.mark.parametrize("stage", ["label", "score", "find", "fairness"])
def test_a_later_stage_takes_the_same_samples_or_refuses(gated: SmallAudit, stage: str) -> None:
    run(gated, limit=80)
    asked = (
        "the last samples are limited to 80; run `weakspot run` without --limit, or pass --limit 80"
    )
    for other in (None, 60):
        with pytest.raises(StoreError, match=asked):
            run(gated, stage, limit=other)
    run(gated, stage, limit=80)
    run(gated, "embed")  # takes all samples, which begins anew
    with pytest.raises(StoreError, match="not limited; run `weakspot run` with --limit 80 first"):
        run(gated, stage, limit=80)


def test_what_is_refused_changes_no_sample(gated: SmallAudit) -> None:
    run(gated, limit=80)
    store = find_store(gated.folder / "workspace")
    with pytest.raises(StoreError):
        run(gated, "fairness")
    assert store.read_samples().height == 80


@pytest.mark.parametrize("stage", ["find", "fairness", "report"])
def test_labels_and_errors_of_fewer_samples_are_not_compared_with_all(
    gated: SmallAudit, stage: str
) -> None:
    run(gated, limit=80)
    run(gated, "embed")
    asked = r"(?s)labels are limited to 80, the samples of all.*`weakspot label`.*`weakspot score`"
    with pytest.raises(SearchError, match=asked):
        run(gated, stage)
    run(gated, "label")
    run(gated, "score")
    run(gated, "find")
    assert (
        find_store(gated.folder / "workspace")
        .read("labels")
        .filter(pl.col("attribute") == "tone")
        .height
        == 160
    )
