import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.compare import (
    compare_findings,
    compare_members,
    find_members,
    write_comparison,
)
from pipeline.tables import PREDICATES

TABLE = pl.DataFrame(
    {
        "age": ["child"] * 20 + ["adult"] * 80,
        "time": (["night"] * 10 + ["day"] * 10) * 5,
        "height": (["low"] * 18 + ["high"] * 2 + ["high"] * 80),
    }
)
ERRORS = np.array([0.5] * 20 + [0.1] * 80)


def frame(*slices: dict[str, str]) -> pl.DataFrame:
    rows = [[{"attribute": a, "value": v} for a, v in one.items()] for one in slices]
    return pl.DataFrame({"predicates": rows}, schema={"predicates": PREDICATES})


def test_equal_predicates_find_a_truth() -> None:
    result = compare_findings(
        frame({"age": "child"}),
        frame({"time": "day"}, {"age": "child"}),
        table=TABLE,
        errors=ERRORS,
    )
    assert result.true_findings[0].matched_rank == 2
    assert result.missed == ()


def test_predicates_in_another_order_are_the_same() -> None:
    result = compare_findings(
        frame({"age": "child", "time": "night"}),
        frame({"time": "night", "age": "child"}),
        table=TABLE,
        errors=ERRORS,
    )
    assert result.true_findings[0].matched_rank == 1


def test_half_of_the_members_shared_finds_a_truth() -> None:
    result = compare_findings(
        frame({"age": "child"}), frame({"height": "low"}), table=TABLE, errors=ERRORS
    )
    assert result.true_findings[0].matched_rank == 1  # 18 of 20 rows


def test_fewer_shared_members_miss_it() -> None:
    result = compare_findings(
        frame({"age": "child"}), frame({"time": "night"}), table=TABLE, errors=ERRORS
    )
    assert len(result.missed) == 1  # 10 of 60 rows


def test_only_the_first_findings_count() -> None:
    findings = frame(*[{"time": "day"}] * 10, {"age": "child"})
    result = compare_findings(frame({"age": "child"}), findings, table=TABLE, errors=ERRORS)
    assert len(result.label_findings) == 10
    assert result.true_findings[0].matched_rank is None


def test_a_finding_without_a_larger_true_error_is_false() -> None:
    findings = frame({"age": "child"}, {"age": "adult"}, {"time": "night"})
    result = compare_findings(frame(), findings, table=TABLE, errors=ERRORS)
    assert [one.false for one in result.label_findings] == [False, True, True]
    assert [one.rank for one in result.false] == [2, 3]


def test_an_error_just_at_the_limit_is_not_false() -> None:
    table = pl.DataFrame({"a": ["x"] * 10 + ["y"] * 10})
    for inside, false in ((1.1, False), (1.09, True)):
        errors = np.array([inside] * 10 + [1.0] * 10)
        result = compare_findings(frame(), frame({"a": "x"}), table=table, errors=errors)
        assert result.label_findings[0].false is false


def test_a_finding_without_true_members_is_false() -> None:
    findings = frame({"age": "unknown"}, {"color": "red"})
    result = compare_findings(frame(), findings, table=TABLE, errors=ERRORS)
    assert all(one.false and one.n == 0 and math.isnan(one.error) for one in result.label_findings)


def test_the_text_lists_found_missed_and_false() -> None:
    result = compare_findings(
        frame({"age": "child"}, {"time": "day"}),
        frame({"age": "child"}, {"age": "adult"}),
        table=TABLE,
        errors=ERRORS,
    )
    text = write_comparison(result)
    assert "age = child (n 20): 0.500, elsewhere 0.100" in text
    assert "found as number 1" in text
    assert "missed" in text
    assert "FALSE" in text
    assert text.endswith("1 of 2 weaknesses found, 1 of 2 findings false")


@settings(max_examples=50)
@given(
    st.lists(st.booleans(), min_size=1, max_size=30).flatmap(
        lambda left: st.tuples(
            st.just(left), st.lists(st.booleans(), min_size=len(left), max_size=len(left))
        )
    )
)
def test_jaccard_is_symmetric_and_one_for_equal_sets(pair: tuple[list[bool], list[bool]]) -> None:
    left, right = (np.array(side) for side in pair)
    assert compare_members(left, right) == compare_members(right, left)
    assert 0 <= compare_members(left, right) <= 1
    assert compare_members(left, left) == (1 if left.any() else 0)


@settings(max_examples=30)
@given(st.permutations(range(100)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    truth, findings = (
        frame({"age": "child", "time": "day"}),
        frame({"time": "day"}, {"age": "child"}),
    )
    usual = compare_findings(truth, findings, table=TABLE, errors=ERRORS)
    mixed = compare_findings(truth, findings, table=TABLE[order], errors=ERRORS[order])
    assert [truth.matched_rank for truth in usual.true_findings] == [
        truth.matched_rank for truth in mixed.true_findings
    ]
    assert [one.false for one in usual.label_findings] == [
        one.false for one in mixed.label_findings
    ]


def test_members_satisfy_every_predicate() -> None:
    rows = find_members(
        TABLE, [{"attribute": "age", "value": "child"}, {"attribute": "time", "value": "day"}]
    )
    assert rows.sum() == 10
