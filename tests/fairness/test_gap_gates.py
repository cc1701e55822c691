"""Gates: who fails, who passes, and when nobody can tell."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.fairness.gates import judge_error, judge_gates
from pipeline.fairness.measure import measure_fairness
from pipeline.fairness.verdicts import sum_up_verdicts
from pipeline.tables import GAPS, VERDICTS, empty
from tests.fairness.drawn_groups import draw_errors, name_groups


def gap(n: int, difference: float | None, q: float | None, **more: Any) -> dict[str, Any]:
    predicates = more.pop("predicates", [{"attribute": "sex", "value": "w"}])
    return {"metric": "error", "predicates": predicates, "level": len(predicates), "n": n,
            "difference": difference, "q": q, **more}  # fmt: skip


def judge(*rows: dict[str, Any], **more: Any) -> list[str]:
    gaps = pl.DataFrame(list(rows), schema=dict(GAPS))
    options = {"max_gap": 0.1, "min_group": 50, "attributes": ["sex", "age"], **more}
    verdicts = judge_gates(gaps, **options)
    assert verdicts.schema == pl.Schema(VERDICTS)
    return verdicts["verdict"].to_list()


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (gap(50, 0.11, 0.049), "fail"),
        (gap(50, 0.10, 0.001), "pass"),
        (gap(50, -0.5, 0.001), "pass"),
        (gap(50, 0.11, 0.05), "insufficient evidence"),
        (gap(49, 0.9, 0.001), "insufficient evidence"),
        (gap(49, 0.0, 0.9), "insufficient evidence"),
        (gap(0, None, None), "insufficient evidence"),
        (gap(60, 0.0, None), "insufficient evidence"),
    ],
)
def test_a_group_fails_by_a_large_gap_that_is_no_accident(
    row: dict[str, Any], verdict: str
) -> None:
    assert judge(row) == [verdict]


def corrected(difference: float | None, low: float, high: float, **more: Any) -> dict[str, Any]:
    """Return a group of 60 whose gap by labels is .05, of no significance, -.05 to .15."""
    by_labels = {"difference_low": -0.05, "difference_high": 0.15, "correction": "product"}
    return gap(60, 0.05, 0.2, **by_labels) | {
        "corrected_difference": difference,
        "corrected_difference_low": low,
        "corrected_difference_high": high,
        **more,
    }


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (corrected(0.2, 0.05, 0.35), "fail"),
        (corrected(0.2, 0.0, 0.4), "insufficient evidence"),
        (corrected(0.1, -0.1, 0.3), "pass"),  # twice as wide as by labels
        (corrected(0.1, -0.11, 0.3), "insufficient evidence"),
        (corrected(-0.3, -0.7, 0.1), "pass"),
        (corrected(0.2, 0.05, 0.35, n=49), "insufficient evidence"),
        (corrected(None, 0.11, 0.6, correction="bounds"), "fail"),
        (corrected(None, 0.05, 0.6, correction="bounds"), "insufficient evidence"),
        (corrected(None, -0.6, 0.1, correction="bounds"), "pass"),
    ],
)
def test_a_group_is_judged_by_its_corrected_gap_where_there_is_one(
    row: dict[str, Any], verdict: str
) -> None:
    assert judge(row) == [verdict]


def test_the_gap_that_was_judged_is_in_the_verdict() -> None:
    gaps = pl.DataFrame([corrected(0.2, 0.05, 0.35)], schema=dict(GAPS))
    row = judge_gates(gaps, max_gap=0.1, min_group=50, attributes=["sex"]).row(0, named=True)
    assert (row["difference"], row["difference_low"], row["difference_high"]) == (0.2, 0.05, 0.35)
    assert row["corrected"]
    assert not judge_gates(
        pl.DataFrame([gap(60, 0.0, 0.5)], schema=dict(GAPS)), max_gap=0.1, min_group=50,
        attributes=["sex"],
    )["corrected"].item()  # fmt: skip


UNCHECKED = "not judged: labels unchecked"


def test_groups_whose_labels_nothing_is_known_of_are_not_judged_unless_asked_for() -> None:
    row = gap(60, 0.5, 0.001, correction="none")
    assert judge(row) == [UNCHECKED]
    assert judge(row, judge_unchecked=True) == ["fail"]
    assert judge(row, gap(60, 0.5, 0.01), gap(60, 0.0, 0.5)) == ["fail", UNCHECKED, "pass"]


def test_what_was_not_judged_is_no_pass_and_does_not_hide_a_failure() -> None:
    def sum_up(*rows: dict[str, Any]) -> str:
        gaps = pl.DataFrame(list(rows), schema=dict(GAPS))
        verdicts = judge_gates(gaps, max_gap=0.1, min_group=50, attributes=["sex", "age"])
        return sum_up_verdicts(verdicts, min_group=50)

    unchecked, passes = gap(60, 0.0, 0.5, correction="none"), gap(60, 0.0, 0.5)
    assert sum_up(unchecked, passes) == UNCHECKED
    assert sum_up(unchecked, gap(10, 0.0, None)) == UNCHECKED
    assert sum_up(unchecked, gap(60, 0.5, 0.001)) == "fail"
    pair = [{"attribute": "age", "value": "old"}, {"attribute": "sex", "value": "w"}]
    rare = gap(10, 0.0, None, correction="none", predicates=pair)
    assert sum_up(passes, rare) == "pass"


def test_only_errors_of_gate_attributes_and_their_pairs_are_judged() -> None:
    pair = [{"attribute": "age", "value": "old"}, {"attribute": "sex", "value": "w"}]
    other = [{"attribute": "sex", "value": "w"}, {"attribute": "skin", "value": "dark"}]
    rows = [
        gap(60, 0.0, 0.5),
        gap(60, 0.5, 0.01, predicates=pair),
        gap(60, 0.5, 0.01, predicates=other),
        gap(60, 0.5, 0.01) | {"metric": "accuracy"},
    ]
    assert judge(*rows) == ["fail", "pass"]
    assert judge(*rows, attributes=["sex"]) == ["pass"]
    assert judge(*rows, attributes=["weather"]) == []


def test_one_failing_group_fails_and_a_rare_pair_alone_does_not_stop_a_pass() -> None:
    def sum_up(*groups: tuple[int, float | None, str]) -> str:
        rows = [
            {"predicates": [{"attribute": str(i), "value": "a"} for i in range(level)], "q": q,
             "verdict": verdict}
            for level, q, verdict in groups
        ]  # fmt: skip
        return sum_up_verdicts(pl.DataFrame(rows, schema=dict(VERDICTS)))

    unsure = "insufficient evidence"
    assert sum_up((1, 0.5, "pass"), (1, 0.01, "fail"), (1, None, unsure)) == "fail"
    assert sum_up((1, 0.5, "pass"), (2, None, unsure)) == "pass"
    assert sum_up((1, 0.5, "pass"), (1, None, unsure)) == unsure
    assert sum_up((1, 0.5, "pass"), (2, 0.3, unsure)) == unsure
    assert sum_up_verdicts(empty(VERDICTS)) == unsure


def test_a_pair_too_small_for_the_gates_does_not_stop_a_pass() -> None:
    pair = [{"attribute": "age", "value": "old"}, {"attribute": "sex", "value": "w"}]
    rows = [gap(60, 0.0, 0.5), gap(40, 0.02, 0.5, predicates=pair)]
    gaps = pl.DataFrame(rows, schema=dict(GAPS))
    verdicts = judge_gates(gaps, max_gap=0.1, min_group=50, attributes=["sex", "age"])
    assert sum_up_verdicts(verdicts, min_group=50) == "pass"
    assert sum_up_verdicts(verdicts, min_group=40) == "insufficient evidence"
    single = pl.DataFrame([gap(40, 0.0, 0.5)], schema=dict(GAPS))
    alone = judge_gates(single, max_gap=0.1, min_group=50, attributes=["sex"])
    assert sum_up_verdicts(alone, min_group=50) == "insufficient evidence"


def test_gates_on_measured_gaps() -> None:
    rng = np.random.default_rng(0)
    table = name_groups(rng, 1000, sex=2, age=2)
    rate = np.where((table["sex"] == "sex1").to_numpy(), 0.4, 0.1)
    gaps = measure_fairness(table, draw_errors(rng, rate), sensitive=["sex", "age"]).gaps
    verdicts = judge_gates(gaps, max_gap=0.2, min_group=50, attributes=["sex"])
    assert verdicts["verdict"].to_list() == ["fail", "pass"]
    assert verdicts["predicates"].to_list()[0] == [{"attribute": "sex", "value": "sex1"}]
    assert judge_gates(empty(GAPS), max_gap=0.2, min_group=50, attributes=["sex"]).is_empty()


@pytest.mark.parametrize(
    ("wrong", "count", "limit", "verdict"),
    [
        (10, 100, 0.1, "pass"),
        (12, 100, 0.1, "insufficient evidence"),  # Wilson's interval is 0.07 to 0.198
        (30, 100, 0.1, "fail"),
        (40, 40, 0.1, "insufficient evidence"),  # fewer than min_samples
        (0, 40, 0.1, "insufficient evidence"),
        (100, 100, 0.1, "fail"),
    ],
)
def test_the_mean_error_fails_above_its_limit_when_that_is_no_accident(
    wrong: int, count: int, limit: float, verdict: str
) -> None:
    errors = pl.Series([1.0] * wrong + [0.0] * (count - wrong))
    ids = pl.Series(range(count)).cast(pl.String)
    judged = judge_error(errors, ids, max_error=limit, min_samples=50)
    assert judged["verdict"].to_list() == [verdict]
    assert judged["difference"][0] == pytest.approx(wrong / count - limit)
    assert judged["predicates"].to_list() == [[]]


def test_the_crops_of_one_image_are_one_piece_of_evidence_on_the_mean_error() -> None:
    errors = pl.Series([1.0] * 30 + [0.0] * 70)
    ids = pl.Series(["a"] * 30 + ["b"] * 70)
    judged = judge_error(errors, ids, max_error=0.1, min_samples=50)
    assert judged["verdict"].to_list() == ["insufficient evidence"]
    alike = judge_error(pl.Series([0.5] * 60), pl.Series(range(60)), max_error=0.1, min_samples=50)
    assert alike["verdict"].to_list() == ["insufficient evidence"]  # no variance, no interval
    assert judge_error(
        pl.Series([], dtype=pl.Float64), pl.Series([], dtype=pl.String), max_error=0.1,
        min_samples=50,
    )["verdict"].to_list() == ["insufficient evidence"]  # fmt: skip
