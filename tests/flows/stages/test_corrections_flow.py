"""Findings and gates of whole audits, corrected by what people said of their labels."""

from pathlib import Path

import polars as pl
import pytest

from flows.run.summary import GatesFailedError, Summary
from pipeline.exceptions import StoreError
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.store import Store, find_store
from tests.flows.direct import run_directly
from tests.flows.report_text import read_report
from tests.flows.small_audit import SmallAudit, write_audit

pytestmark = pytest.mark.slow  # whole audits

GATES = '[fairness]\nattributes = ["tone"]\n[gates]\nmax_gap = 0.1\nmin_group = 10\n'


@pytest.fixture
def audit(tmp_path: Path) -> SmallAudit:
    made = write_audit(tmp_path)
    made.config.write_text(made.config.read_text() + GATES)
    return made


def check_tones(audit: SmallAudit) -> None:
    """Say of every sample that its tone is as labelled."""
    store = find_store(audit.folder / "workspace")
    labels = store.read("labels").filter(pl.col("attribute") == "tone").sort("sample_id")
    answers = [
        Answer(
            sample_id=sample_id,
            attribute="tone",
            shown=value,
            answer="right",
            value=value,
            checker="me",
            checked_at="2026-11-27T12:00:00+00:00",
            draw="imported",
        )
        for sample_id, value in labels.select("sample_id", "value").iter_rows()
    ]
    Journal(store.folder).append_all(answers)


def run(audit: SmallAudit, *stages: str) -> Summary:
    """Run stages, or all; where the gates fail return that summary too."""
    try:
        return run_directly(audit.config, stages=stages or None)
    except GatesFailedError as failed:
        return failed.summary


def read_gaps(store: Store, run_id: str) -> pl.DataFrame:
    gaps = store.read_result(run_id, "gaps")
    assert gaps is not None
    return gaps.filter(pl.col("metric") == "error")


def test_labels_that_nothing_is_known_of_are_not_judged_and_said_to_be_unchecked(
    audit: SmallAudit,
) -> None:
    summary = run(audit)
    assert summary.gates == {"system": "not judged: labels unchecked"}
    states = {finding["correction"] for finding in summary.findings
              if any(p["attribute"] == "tone" for p in finding["predicates"])}  # fmt: skip
    assert states <= {"none"}
    exact = [finding["correction"] for finding in summary.findings
             if all(p["attribute"] != "tone" for p in finding["predicates"])]  # fmt: skip
    assert exact  # brightness is measured, and what is weak is dark
    assert set(exact) == {None}
    audit.edit("min_group = 10", 'min_group = 10\nunchecked_labels = "judge"')
    assert run(audit, "fairness").gates == {"system": "fail"}


def test_checks_correct_groups_let_the_gate_judge_and_make_what_was_found_stale(
    audit: SmallAudit,
) -> None:
    run(audit)
    check_tones(audit)
    with pytest.raises(StoreError, match="the checks are not those that were searched"):
        run(audit, "report")
    summary = run(audit, "find", "fairness", "report")
    assert summary.gates == {"system": "fail"}
    gaps = read_gaps(find_store(audit.folder / "workspace"), summary.run_id)
    assert set(gaps["correction"]) <= {"product", "joint"}
    assert (gaps["corrected_value"] - gaps["value"]).abs().max() < 0.1  # type: ignore[operator]  # all labels are right
    assert "corrected" in read_report(summary.report)


def test_true_labels_are_searched_as_they_are(audit: SmallAudit) -> None:
    rows = ["path,tone"] + [f"{n:04}.png,{'dark' if n % 4 < 2 else 'light'}" for n in range(160)]
    (audit.folder / "truth.csv").write_text("\n".join(rows) + "\n")
    truth = (
        '[dataset.truth]\nfile = "truth.csv"\n[dataset.truth.tone]\ncolumn = "tone"\n'
        'dark = ["dark"]\nlight = ["light"]\n'
    )
    audit.edit("[encoder]", truth + "[encoder]")
    audit.edit("max_level = 2", 'max_level = 2\nlabels = "truth"')
    summary = run(audit)
    assert {finding["correction"] for finding in summary.findings} == {None}
    assert summary.worth_checking == ()
    gaps = pl.DataFrame(summary.gaps)
    assert gaps.filter(pl.col("labels") == "truth")["correction"].is_null().all()
    assert gaps.filter(pl.col("labels") == "predicted")["correction"].is_not_null().all()
