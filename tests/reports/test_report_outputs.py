"""What the page says of a system's outputs: counts, warnings, the gate on its mean error."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.tables import GAPS
from reports.models import ErrorGate
from reports.pages.report_page import build_report
from tests.reports.fairness_examples import (
    CORRECTED,
    make_fairness,
    make_gap,
    make_verdicts,
    read_words,
)
from tests.reports.page_reader import read_page
from tests.reports.report_examples import make_report_data, make_table

NOTES = {"detections": 5200, "detections_found": 4100, "detections_of_unknown_category": 700,
         "detections_wrong_class": 0, "objects": 5000, "classes_never_predicted": ["cat"],
         "columns_not_read": ["scores", "<b>"]}  # fmt: skip
WARNING = "700 of its 5,200 detections are of categories that the dataset does not have"
GATES = {"max_gap": 0.1, "min_group": 50}


def read_with(**changes: Any) -> str:
    data = make_report_data()
    page = read_page(build_report(replace(data, systems=(replace(data.systems[0], **changes),))))
    assert page.faults == []
    return page.words


def test_the_counts_of_outputs_are_under_their_system() -> None:
    words = read_with(notes=NOTES)
    part = words[words.index("Weak slices of finder") :]
    for count in ("Detections 5,200", "Found an object 4,100", "Of a wrong class 0"):
        assert count in part
    assert "Of unknown categories 700" in part
    assert "Columns that were not read: scores, <b>." in part


def test_a_warning_is_in_the_verdict_and_under_the_system() -> None:
    words = read_with(warnings=(WARNING,))
    assert words.count(WARNING) == 2
    assert words.index(WARNING) < words.index("Weak slices of finder")


@pytest.mark.parametrize(
    ("verdict", "error", "warnings", "shown"),
    [
        ("fail", 0.16, (), "fail Error gate of finder: 16.0% missed, more than the 10.0% that"),
        ("pass", 0.06, (), "pass Error gate of finder: 6.0% missed, at most the 10.0% that are"),
        ("pass", 0.06, (WARNING,), "insufficient evidence Error gate of finder: 6.0% missed"),
        ("insufficient evidence", 0.11, (), "11.0% missed, more than the 10.0% that are allowed,"),
        ("insufficient evidence", None, (), "there was no error to judge"),
    ],
)
def test_the_gate_on_the_mean_error_is_a_sentence(
    verdict: str, error: float | None, warnings: tuple[str, ...], shown: str
) -> None:
    assert shown in read_with(gate=ErrorGate(verdict, 0.1, error), warnings=warnings)


def test_no_gate_passes_on_questionable_outputs() -> None:
    report = make_fairness(verdicts=make_verdicts("pass"), gates=GATES, questionable=True)
    words = read_words(report)
    assert (
        "insufficient evidence The gate is open: the outputs of the system are questionable"
        in words
    )
    assert "The gate passes" not in words
    failed = make_fairness(verdicts=make_verdicts("fail"), gates=GATES, questionable=True)
    assert "fail The gate fails" in read_words(failed)


@pytest.mark.parametrize("verdict", ["pass", "fail", "insufficient evidence"])
def test_a_gate_by_labels_of_a_model_says_so_in_its_first_sentence(verdict: str) -> None:
    fields = {"verdicts": make_verdicts(verdict), "gates": GATES, "labels": "predicted"}
    unchecked = read_words(make_fairness(**fields))
    assert f"{verdict} By labels that a model predicted and that were not checked, the gate" in (
        unchecked
    )
    assert "How many labels of gender and age are wrong is not known" in unchecked
    rows = [make_gap((name, "a"), **CORRECTED) for name in ("age", "gender")]
    checked = read_words(make_fairness(**fields, gaps=make_table(rows, GAPS)))
    assert f"{verdict} By labels that a model predicted, the gate" in checked
    corrected = make_verdicts(verdict).with_columns(corrected=True)
    judged = read_words(make_fairness(**{**fields, "verdicts": corrected}))
    assert f"{verdict} By labels that a model predicted, corrected for wrong ones, the gate" in (
        judged
    )
