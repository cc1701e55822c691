"""Which verdicts on groups count, and in which order gaps are read."""

from typing import Any

import polars as pl
import pytest

from pipeline.fairness.gap_table import order_gaps
from pipeline.fairness.verdicts import select_counted, select_failures, sum_up_systems
from pipeline.tables import GAPS, VERDICTS

KEYS = {"system": pl.String, "labels": pl.String}


def verdict(labels: str, value: str, *names: str, system: str = "s") -> dict[str, Any]:
    predicates = [{"attribute": name, "value": "a"} for name in names]
    return {"system": system, "labels": labels, "predicates": predicates, "q": 0.5, "n": 99,
            "verdict": value}  # fmt: skip


def tabulate(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={**KEYS, **VERDICTS})


BOTH = (verdict("predicted", "fail", "sex"), verdict("truth", "pass", "sex"))


def test_true_values_overrule_predicted_labels_of_the_same_attribute() -> None:
    assert sum_up_systems(tabulate(*BOTH), min_group=50) == {"s": "pass"}
    assert select_counted(tabulate(*BOTH))["labels"].to_list() == ["truth"]
    assert select_failures(tabulate(*BOTH)).is_empty()


@pytest.mark.parametrize("unknown", [("age",), ("age", "sex")])
def test_predicted_labels_count_where_an_attribute_has_no_true_values(
    unknown: tuple[str, ...],
) -> None:
    rows = tabulate(*BOTH, verdict("predicted", "fail", *unknown))
    assert sum_up_systems(rows, min_group=50) == {"s": "fail"}
    (failed,) = select_failures(rows).to_dicts()
    assert tuple(one["attribute"] for one in failed["predicates"]) == unknown


def test_a_pair_whose_attributes_are_both_known_truly_counts_by_truth_alone() -> None:
    rows = tabulate(
        *BOTH, verdict("truth", "pass", "age"), verdict("predicted", "fail", "age", "sex")
    )
    assert sum_up_systems(rows, min_group=50) == {"s": "pass"}


def test_without_true_values_all_verdicts_count() -> None:
    assert sum_up_systems(tabulate(BOTH[0]), min_group=50) == {"s": "fail"}


def test_each_system_has_a_verdict_of_its_own() -> None:
    rows = tabulate(verdict("truth", "fail", "sex", system="b"), BOTH[1])
    assert list(sum_up_systems(rows, min_group=50).items()) == [("b", "fail"), ("s", "pass")]
    assert sum_up_systems(tabulate(BOTH[1]), min_group=100) == {"s": "pass"}  # a single attribute


def test_gaps_are_read_by_system_true_values_first_then_by_state_and_size() -> None:
    def gap(system: str, labels: str, state: str, difference: float | None) -> dict[str, Any]:
        return {"system": system, "labels": labels, "state": state, "difference": difference,
                "metric": "error"}  # fmt: skip

    want = [
        gap("a", "truth", "gap", 0.2),
        gap("a", "truth", "gap", -0.3),
        gap("a", "truth", "no gap shown", 0.5),
        gap("a", "truth", "insufficient evidence", 0.9),
        gap("a", "truth", "insufficient evidence", None),
        gap("a", "predicted", "gap", 0.9),
        gap("b", "predicted", "gap", 0.1),
    ]
    rows = [{**gap("a", "truth", "gap", 9.0), "metric": "recall"}, *reversed(want)]
    ordered = order_gaps(pl.DataFrame(rows, schema={**KEYS, **GAPS}))
    assert ordered.select(want[0].keys()).to_dicts() == want
    assert ordered.columns == [*KEYS, *GAPS]


def test_the_verdict_on_all_samples_counts_beside_those_on_groups() -> None:
    def all_of(value: str) -> dict[str, Any]:
        return {**verdict("all", value), "q": None}

    rows = tabulate(BOTH[1], all_of("fail"))
    assert sum_up_systems(rows, min_group=50) == {"s": "fail"}
    assert select_failures(rows)["labels"].to_list() == ["all"]
    assert sum_up_systems(tabulate(all_of("pass")), min_group=50) == {"s": "pass"}
    unsure = tabulate(BOTH[1], all_of("insufficient evidence"))
    assert sum_up_systems(unsure, min_group=50) == {"s": "insufficient evidence"}


def test_a_system_whose_outputs_are_questionable_fails_or_is_open_but_does_not_pass() -> None:
    rows = tabulate(BOTH[1], verdict("truth", "pass", "sex", system="other"))
    assert sum_up_systems(rows, min_group=50, questionable={"s"}) == {
        "s": "insufficient evidence",
        "other": "pass",
    }
    failed = tabulate(verdict("truth", "fail", "sex"))
    assert sum_up_systems(failed, min_group=50, questionable={"s"}) == {"s": "fail"}
