import polars as pl
import pytest

from pipeline.tables import VERDICTS
from tests.reports.fairness_examples import (
    make_fairness,
    make_verdicts,
    read_words,
)
from tests.reports.report_examples import (
    make_predicates,
)

GATES = {"max_gap": 0.1, "min_group": 50}


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (
            ("fail", "pass", "insufficient evidence"),
            "fail The gate fails: group = g0 (+14.2 points) is more than 10.0 percentage points "
            "worse than the rest. For 1 other group the evidence is insufficient",
        ),
        (
            ("pass", "pass"),
            "pass The gate passes: no group fails, and 2 groups are at most 10.0 percentage points "
            "worse than the rest. Worst off",
        ),
        (
            ("pass", "insufficient evidence"),
            "insufficient evidence The gate is open: no group fails, but for group = g1 there is",
        ),
        (
            ("insufficient evidence",),
            "insufficient evidence The gate is open: no group fails, but for group = g0 there is",
        ),
        ((), "insufficient evidence The gate is open: there was no group to judge."),
        (
            ("fail",) * 8,
            "group = g3 (+14.2 points), group = g4 (+14.2 points) and 3 more are more than",
        ),
    ],
)
def test_gate_is_told_in_a_sentence(verdicts: tuple[str, ...], told: str) -> None:
    words = read_words(make_fairness(verdicts=make_verdicts(*verdicts), gates=GATES))
    assert told in words


def test_failed_gate_is_in_the_verdict_of_the_page() -> None:
    words = read_words(make_fairness(verdicts=make_verdicts("fail"), gates=GATES))
    verdict = words[: words.index("Weak slices of finder A slice")]
    assert "fail Fairness gate of finder, groups by true attributes: 1 group fares more" in verdict


def test_pairs_that_decide_a_gate_are_told_apart() -> None:
    verdicts = make_verdicts("insufficient evidence", "insufficient evidence").with_columns(
        predicates=pl.Series(
            [make_predicates(("age", "old"), ("skin", "pale")), make_predicates(("age", "old"))],
            dtype=VERDICTS["predicates"],
        )
    )
    words = read_words(make_fairness(verdicts=verdicts, gates=GATES))
    assert "for age = old; age = old and skin = pale there is insufficient evidence" in words


def test_a_pair_too_small_for_the_gate_decides_nothing() -> None:
    verdicts = make_verdicts("pass", "insufficient evidence").with_columns(
        predicates=pl.Series(
            [make_predicates(("age", "old")), make_predicates(("age", "old"), ("skin", "pale"))],
            dtype=VERDICTS["predicates"],
        ),
        n=pl.Series([400, 40]),
    )
    words = read_words(make_fairness(verdicts=verdicts, gates=GATES))
    assert "pass The gate passes" in words
    assert "For 1 other group the evidence is insufficient" in words


def test_without_gates_nothing_is_said_of_them() -> None:
    assert "gate" not in read_words(make_fairness())


def test_the_verdict_by_true_attributes_counts_where_there_is_one() -> None:
    counts = "The verdict by true attributes counts."
    gated = {"verdicts": make_verdicts("fail"), "gates": GATES}
    predicted = make_fairness(labels="predicted", **gated)
    both = read_words(predicted, make_fairness(**gated))
    assert both.count(counts) == 2
    assert both.index("finder, groups by predicted labels") < both.rindex(counts)
    assert counts not in read_words(predicted)


def test_predicted_verdicts_on_an_attribute_without_true_values_count_too() -> None:
    counts = "The verdict by true attributes counts."
    age = make_verdicts("fail").with_columns(
        predicates=pl.Series([make_predicates(("age", "old"))], dtype=VERDICTS["predicates"])
    )
    predicted = make_fairness(labels="predicted", verdicts=age, gates=GATES)
    true = make_fairness(verdicts=make_verdicts("pass"), gates=GATES)
    assert counts not in read_words(predicted, true)
