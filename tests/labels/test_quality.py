"""Agreement of labels with the truth, on counts made by hand."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, precision_score, recall_score

from pipeline.labels.quality import count_confusion, measure_agreement, measure_values
from pipeline.tables import LABELS


def labels_of(values: list[str], attribute: str = "hat") -> pl.DataFrame:
    rows = [
        {"sample_id": f"s{i}", "attribute": attribute, "value": v} for i, v in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=dict(LABELS))


TRUTH = labels_of(["yes", "yes", "yes", "no", "no", "no", "unknown"])
FOUND = labels_of(["yes", "yes", "unknown", "no", "no", "yes", "yes"])


def test_samples_without_truth_are_left_out() -> None:
    assert count_confusion(FOUND, TRUTH).rows() == [
        ("hat", "no", "no", 2),
        ("hat", "no", "yes", 1),
        ("hat", "yes", "unknown", 1),
        ("hat", "yes", "yes", 2),
    ]


def test_unknown_lowers_recall_and_coverage_alone() -> None:
    values = measure_values(FOUND, TRUTH)
    assert values.drop("precision", "recall").rows() == [
        ("hat", "no", 3, 2, 2),
        ("hat", "yes", 3, 3, 2),
    ]
    assert values["precision"].to_list() == pytest.approx([1, 2 / 3])
    assert values["recall"].to_list() == pytest.approx([2 / 3, 2 / 3])
    [row] = measure_agreement(FOUND, TRUTH).rows(named=True)
    assert row["n"] == 6
    assert row["coverage"] == pytest.approx(5 / 6)
    assert row["accuracy"] == pytest.approx(4 / 5)
    assert row["kappa"] == pytest.approx((4 / 5 - 12 / 25) / (1 - 12 / 25))


def test_a_value_never_labelled_has_no_precision() -> None:
    values = measure_values(labels_of(["no", "no"]), labels_of(["yes", "no"]))
    assert values["precision"].to_list() == [0.5, None]
    assert values["recall"].to_list() == [1, 0]


def test_nothing_covered_has_no_accuracy() -> None:
    [row] = measure_agreement(labels_of(["unknown"]), labels_of(["yes"])).rows(named=True)
    assert (row["coverage"], row["accuracy"], row["kappa"]) == (0, None, None)


def test_attributes_are_compared_apart() -> None:
    found = pl.concat([labels_of(["yes", "no"]), labels_of(["old", "old"], "age")])
    truth = pl.concat([labels_of(["yes", "no"]), labels_of(["young", "young"], "age")])
    agreement = measure_agreement(found, truth)
    assert agreement["attribute"].to_list() == ["age", "hat"]
    assert agreement["accuracy"].to_list() == [0, 1]


def test_attributes_without_truth_are_left_out() -> None:
    assert measure_agreement(labels_of(["yes"]), labels_of(["yes"], "age")).is_empty()


WORDS = st.sampled_from(["a", "b", "c"])


@pytest.mark.slow
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=40))
def test_numbers_equal_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    found, true = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for row in measure_values(labels_of(found), labels_of(true)).iter_rows(named=True):
        only = {"labels": [row["value"]], "average": "micro", "zero_division": 0}
        assert (row["precision"] or 0) == pytest.approx(precision_score(true, found, **only))
        assert (row["recall"] or 0) == pytest.approx(recall_score(true, found, **only))
    kappa = measure_agreement(labels_of(found), labels_of(true))["kappa"][0]
    if kappa is not None:
        assert kappa == pytest.approx(cohen_kappa_score(true, found), abs=1e-9)
    else:
        assert len({*found, *true}) == 1
