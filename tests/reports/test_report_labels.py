"""The section on the quality of labels: methods, values, diagrams, and who judged."""

import polars as pl

from reports.pages.report_page import build_report
from tests.reports.fairness_examples import read_words
from tests.reports.page_reader import read_page
from tests.reports.report_examples import (
    make_label_quality,
    make_quality_row,
    make_report_data,
)


def test_methods_are_side_by_side_and_labels_in_use_have_an_interval() -> None:
    words = read_words()
    assert "Labels compared with true values, with 95% intervals." in words
    assert "First prompt alone Mean probability" in words
    assert "95.3%94.7% to 95.8% 2.0% 0.660 92.0% 96.0%" in words
    assert "Best prompt" not in words  # no attribute has that method here


def test_values_have_precision_recall_and_f1() -> None:
    assert "yes 400 442 58.0%53.0% to 63.0% 64.0%59.0% to 69.0% 61.0%57.0% to 65.0%" in read_words()


def test_a_probe_is_shown_by_the_checks_it_learns_from() -> None:
    words = read_words()
    assert "Right by a probe trained on 5 a value 10 a value" in words
    assert "hat 81.0%78.0% to 83.0% 88.0%85.0% to 90.0%" in words


def test_checks_are_called_checks() -> None:
    nothing = {"precision": None, "precision_low": None, "precision_high": None}
    rows = [
        make_quality_row("hat", value, judged_by="checks", n=200, **nothing)
        for value in (None, "yes")
    ]
    words = read_words(label_quality=make_label_quality(*rows))
    assert "Labels compared with checks by people" in words
    assert "200 checks" in words
    assert "yes 400 442 \u2013 64.0%" in words


def test_a_diagram_says_in_words_what_it_draws() -> None:
    page = build_report(make_report_data())
    assert page.count('class="square"') == 1
    assert (
        "hat: share right over the score; scores are off by 6.8% on average, fitted "
        "probabilities by 0.7%" in page
    )
    assert page.count('class="fitted"') == 5 + 1  # and the key


def test_without_judges_there_is_no_section() -> None:
    page = read_page(build_report(make_report_data(label_quality=None)))
    assert "How good the labels are" not in page.words
    nothing = make_label_quality(make_quality_row("hat", None))
    empty = type(nothing)(quality=nothing.quality.clear())
    assert "How good the labels are" not in read_words(label_quality=empty)
    assert isinstance(empty.in_use, pl.DataFrame)
