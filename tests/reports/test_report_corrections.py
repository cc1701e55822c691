"""What the page says of wrong labels: unchecked, corrected, bounds, unclear, worth checking."""

from typing import Any

import polars as pl

from pipeline.tables import CORRECTIONS, GAPS, REPORTED
from reports.pages.report_page import build_report
from tests.reports.fairness_examples import (
    CORRECTED,
    make_fairness,
    make_gap,
    make_verdicts,
    read_words,
)
from tests.reports.page_reader import read_page
from tests.reports.report_examples import (
    CORRECTION,
    make_finding,
    make_predicates,
    make_report_data,
    make_system,
    make_table,
)

UNCHECKED: dict[str, Any] = dict.fromkeys(CORRECTION) | {
    "correction": "none", "correction_note": "fewer than 10 checked labels of hat",
}  # fmt: skip
BOUNDS: dict[str, Any] = dict.fromkeys(CORRECTION) | {
    "correction": "bounds", "correction_note": "the labels of hat say too little",
    "corrected_low": 0.1, "corrected_high": 0.6, "corrected_difference_low": -0.1,
    "corrected_difference_high": 0.5,
}  # fmt: skip
UNCLEAR: dict[str, Any] = {
    "state": "unclear: check labels", "corrected_difference_low": -0.02,
    "checks_needed": [{"attribute": "hat", "value": "yes", "n": 40},
                      {"attribute": "hat", "value": "no", "n": 25}],
}  # fmt: skip


def read(*rows: dict[str, Any], **changes: Any) -> str:
    system = make_system(0, findings=make_table(list(rows), REPORTED), **changes)
    page = read_page(build_report(make_report_data(systems=(system,))))
    assert page.faults == []
    return page.words


def test_labels_that_nothing_is_known_of_are_all_that_a_finding_speaks_of() -> None:
    words = read(make_finding(1, **UNCHECKED))
    assert (
        "finder fails more on images labelled hat = yes: 27.1% missed against 5.0% elsewhere "
        "(n = 442); whether these labels of hat are right has not been checked. confirmed" in words
    )
    assert (
        "How many of the 442 images labelled hat = yes truly are so is not known: fewer than 10 "
        "checked labels of hat. To check them: weakspot check-labels AUDIT.toml --finding 1"
        in words
    )
    assert "corrected" not in words


def test_a_corrected_finding_stands_beside_what_its_labels_show() -> None:
    words = read(make_finding(1))
    assert (
        "finder fails more where hat = yes: 27.1% missed against 5.0% elsewhere (n = 442); "
        "corrected for wrong labels 41.2% missed (33.1% to 49.8%). confirmed" in words
    )
    assert (
        "Of the 442 images labelled hat = yes about 58.0% truly are so (53.4% to 62.5%). Among all "
        "that truly are, about 402: 41.2% missed (33.1% to 49.8%). This slice 27.1% "
        "This slice, corrected 41.2% 33.1% to 49.8% Elsewhere 5.0%" in words
    )
    assert "Difference +22.1 points 18.0 to 26.4" in words
    assert "Difference, corrected +37.1 points 29.0 to 45.8" in words


def test_measured_slices_are_said_as_they_are() -> None:
    measured = dict.fromkeys(CORRECTION)
    row = make_finding(1, predicates=make_predicates(("sharpness", "<= 12.5")), **measured)
    words = read(row)
    assert "finder fails more where sharpness <= 12.5: 27.1%" in words
    assert "truly" not in words
    assert "checked" not in words


def test_bounds_are_said_as_bounds_with_their_reason() -> None:
    words = read(make_finding(1, **BOUNDS))
    assert (
        "Among all that truly are: 10.0% to 60.0% missed. The labels of hat say too little."
        in words
    )
    assert "This slice, corrected \u2013 10.0% to 60.0%" in words


def test_an_unclear_finding_is_no_weak_slice_that_holds_up() -> None:
    words = read(make_finding(1, **UNCLEAR))
    assert (
        "finder perhaps fails more on images labelled hat = yes: 27.1% missed against 5.0% "
        "elsewhere (n = 442); corrected for wrong labels 41.2% missed (33.1% to 49.8%). "
        "unclear: check labels q <0.0001" in words
    )
    assert "No slice holds up once wrong labels are counted" in words
    assert (
        "About 40 more checks of hat = yes and 25 of hat = no would settle whether it does worse: "
        "weakspot check-labels AUDIT.toml --finding 1." in words
    )
    assert "It holds up as labelled, but so many labels are wrong" in words


def test_what_checks_cannot_settle_is_said() -> None:
    words = read(make_finding(1, **UNCLEAR | {"checks_needed": None}))
    assert "More checks alone would not settle whether it does worse; more images would." in words


def test_the_verdict_names_what_holds_before_what_is_unclear_and_counts_both() -> None:
    likely = make_finding(2, state="likely", predicates=make_predicates(("age", "old")))
    words = read(make_finding(1, **UNCLEAR), likely)
    assert "finder probably fails more where age = old" in words
    assert "It is the only weak slice that holds up. 1 more is unclear until labels are" in words


def test_slices_that_wrong_labels_hide_are_listed_to_check() -> None:
    predicates = make_predicates(("age", "child"), ("hat", "yes"))
    row = {**CORRECTION, "predicates": predicates}
    frame = make_table([row], CORRECTIONS)
    words = read(make_finding(1), worth_checking=frame)
    assert "1 slice is worth checking." in words
    cells = "age = child and hat = yes 58.0% 402 41.2% 33.1% to 49.8% 4.1% 10.1"
    assert cells in words
    assert "check-labels AUDIT.toml --attribute age --attribute hat." in words
    alone = read(worth_checking=frame)
    assert "1 slice is worth checking: wrong labels may hide what it does there." in alone
    assert "Worth checking" not in read(make_finding(1))


def test_success_rates_keep_the_smaller_number_first() -> None:
    row = make_finding(
        1, error=0.984, rest_error=0.837, difference=0.147, ci_low=0.12, ci_high=0.17,
        corrected_error=0.96, corrected_low=0.92, corrected_high=0.99,
        corrected_difference=0.12, corrected_difference_low=0.1, corrected_difference_high=0.15,
    )  # fmt: skip
    words = read(row, overall_error=0.84)
    assert "4.0% found (1.0% to 8.0%)" in words
    assert "Difference, corrected \u221212.0 points \u221215.0 to \u221210.0" in words


def test_groups_stand_beside_their_corrected_errors() -> None:
    rows = [
        make_gap(("gender", "woman"), **CORRECTED),
        make_gap(("gender", "man"), correction="none", correction_note="nothing was checked"),
        make_gap(
            ("age", "old"),
            **CORRECTED
            | {"corrected_value": None, "correction": "bounds", "correction_note": "too few"},
        ),
        make_gap(("age", "young"), **CORRECTED | {"correction_note": "dependent"}),
    ]
    words = read_words(make_fairness(gaps=make_table(rows, GAPS), labels="predicted"))
    assert "corrected 15.1% 11.3% to 19.6%" in words
    assert "corrected +11.8 7.1 to 16.8" in words
    assert "Nothing was checked" in words
    assert "Too few" in words
    assert "corrected 11.3% to 19.6%" in words
    assert "ependent" not in words
    assert "is not known" not in words
    only = read_words(make_fairness(gaps=make_table(rows[:2], GAPS), labels="predicted"))
    assert "How many labels of age are wrong is not known." in only


def test_a_gate_that_labels_keep_from_judging_says_what_to_do() -> None:
    verdicts = make_verdicts("not judged: labels unchecked", "pass")
    report = make_fairness(
        verdicts=verdicts, gates={"max_gap": 0.1, "min_group": 50}, labels="predicted"
    )
    words = read_words(report)
    assert (
        "not judged: labels unchecked The gate did not judge group = g0: a model predicted these "
        "labels, and nothing says how many are wrong. Check some with weakspot check-labels"
        in words
    )
    bounds = make_verdicts("fail").with_columns(
        corrected=True, difference=pl.lit(None, dtype=pl.Float64)
    )
    failed = make_fairness(
        verdicts=pl.concat([bounds, verdicts]),
        gates={"max_gap": 0.1, "min_group": 50},
        labels="predicted",
    )
    words = read_words(failed)
    assert "group = g0 (11.0 to 18.0 points) is more than 10.0 percentage points worse" in words
    assert "1 group was not judged, because their labels are unchecked." in words
