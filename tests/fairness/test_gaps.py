"""Groups, their numbers and their order, against plain counting and scipy."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

from pipeline.exceptions import TableError
from pipeline.fairness.measure import measure_fairness
from pipeline.tables import GAPS
from tests.fairness.drawn_groups import draw_errors, name_groups, row_of


def planted(seed: int = 0, n: int = 2000, **more: Any) -> tuple[pl.DataFrame, Any]:
    rng = np.random.default_rng(seed)
    table = name_groups(rng, n, sex=2, age=3)
    rate = np.where((table["sex"] == "sex1").to_numpy(), 0.3, 0.1)
    return table, draw_errors(rng, rate, **more)


def test_each_value_and_each_pair_of_values_is_a_group() -> None:
    table, errors = planted()
    gaps = measure_fairness(table, errors, sensitive=["sex", "age"]).gaps
    assert gaps.schema == pl.Schema(GAPS)
    assert gaps["level"].to_list() == [1] * 5 + [2] * 6
    assert gaps["predicates"].to_list()[0] == [{"attribute": "age", "value": "age0"}]
    assert [one["attribute"] for one in gaps["predicates"].to_list()[-1]] == ["age", "sex"]
    ones = measure_fairness(table, errors, sensitive=["sex", "age"], max_level=1).gaps
    assert ones["level"].to_list() == [1] * 5


def test_a_planted_gap_is_found_and_has_the_numbers_of_its_rows() -> None:
    table, errors = planted()
    gaps = measure_fairness(table, errors, sensitive=["sex", "age"]).gaps
    inside = (table["sex"] == "sex1").to_numpy()
    own, rest = errors[inside], errors[~inside]
    row = row_of(gaps, sex="sex1")
    assert row["state"] == "gap"
    assert (row["n"], row["value"], row["rest_value"]) == (inside.sum(), own.mean(), rest.mean())
    assert row["difference"] == pytest.approx(own.mean() - rest.mean())
    assert row["ratio"] == pytest.approx(own.mean() / rest.mean())
    assert row["overall_difference"] == pytest.approx(own.mean() - errors.mean())
    assert row["overall_ratio"] == pytest.approx(own.mean() / errors.mean())
    assert row["best_difference"] == pytest.approx(row["difference"])
    best = row_of(gaps, sex="sex0")
    assert (best["best_difference"], best["best_ratio"]) == (0.0, 1.0)
    wilson = stats.binomtest(int(own.sum()), len(own)).proportion_ci(method="wilson")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((wilson.low, wilson.high))
    chi2 = stats.chi2_contingency(
        [[own.sum(), (1 - own).sum()], [rest.sum(), (1 - rest).sum()]], correction=False
    )
    assert row["p"] == pytest.approx(chi2.pvalue, rel=0.3)
    assert row_of(gaps, age="age0")["state"] == "no gap shown"


def test_counts_below_ten_get_fishers_p_and_real_errors_welchs() -> None:
    table = pl.DataFrame({"a": ["x"] * 40 + ["y"] * 60})
    errors = np.repeat([1.0, 0.0, 1.0, 0.0], [9, 31, 2, 58])
    row = row_of(measure_fairness(table, errors, sensitive=["a"]).gaps, a="x")
    fisher = stats.hypergeom(100, 11, 40)
    assert row["p"] == pytest.approx(2 * min(fisher.sf(8), fisher.cdf(9)))
    real = np.random.default_rng(0).gamma(1.0, 1.0, 100)
    row = row_of(measure_fairness(table, real, sensitive=["a"]).gaps, a="x")
    want = stats.ttest_ind(real[:40], real[40:], equal_var=False)
    assert row["p"] == pytest.approx(want.pvalue)
    own = stats.t.interval(0.95, 39, real[:40].mean(), stats.sem(real[:40]))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(own)
    low, high = want.confidence_interval()
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((low, high), rel=0.03)


def test_an_unknown_value_makes_no_group_and_only_a_known_one_puts_a_row_outside() -> None:
    table = pl.DataFrame(
        {
            "a": ["x"] * 40 + ["y"] * 40 + ["unknown"] * 40,
            "b": ["p"] * 60 + ["q"] * 40 + ["unknown"] * 20,
        }
    )
    errors = np.repeat([1.0, 0.0, 1.0], 40)
    found = measure_fairness(table, errors, sensitive=["a", "b"])
    values = {one["value"] for row in found.gaps["predicates"] for one in row}
    assert values == {"x", "y", "p", "q"}
    row = row_of(found.gaps, a="x")
    assert (row["n"], row["value"], row["rest_value"]) == (40, 1.0, 0.0)
    assert row["overall_difference"] == pytest.approx(1 / 3)
    # Outside x and p: the 40 of y, and the 20 of an unknown a that are known to be q.
    assert row_of(found.gaps, a="x", b="p")["rest_value"] == pytest.approx(20 / 60)
    assert any("a is unknown for 40 of 120" in note for note in found.notes)


def test_an_empty_group_is_neither_fair_nor_significant() -> None:
    table = pl.DataFrame(
        {
            "a": pl.Series(["x"] * 50 + ["y"] * 50, dtype=pl.Enum(["unknown", "x", "y", "z"])),
            "b": ["p"] * 50 + ["q"] * 50,
        }
    )
    errors = np.arange(100) % 2.0
    found = measure_fairness(table, errors, sensitive=["a", "b"])
    for values in ({"a": "z"}, {"a": "x", "b": "q"}):
        row = row_of(found.gaps, **values)
        assert (row["n"], row["state"]) == (0, "insufficient evidence")
        numbers = ("value", "ci_low", "difference", "difference_low", "ratio", "p", "q",
                   "best_difference", "overall_ratio", "compared_share")  # fmt: skip
        assert [row[name] for name in numbers] == [None] * len(numbers)
        assert row["needed_n"] >= 30
    assert "(5 of them empty)" in found.notes[0]


def test_a_group_that_is_everything_has_no_rest_to_be_judged_by() -> None:
    errors = np.arange(100) % 2.0
    row = row_of(measure_fairness(pl.DataFrame({"a": ["x"] * 100}), errors, sensitive=["a"]).gaps,
                 a="x")  # fmt: skip
    assert (row["state"], row["value"], row["rest_value"]) == ("insufficient evidence", 0.5, None)
    assert (row["difference"], row["p"], row["needed_n"]) == (None, None, None)
    everyone = pl.DataFrame({"a": ["unknown"] * 100})
    assert measure_fairness(everyone, errors, sensitive=["a"]).gaps.height == 0
    nobody = pl.DataFrame({"a": []}, schema={"a": pl.String})
    assert measure_fairness(nobody, [], sensitive=["a"]).gaps.height == 0


def test_groups_of_a_single_image_are_not_judged() -> None:
    table = pl.DataFrame({"a": ["x"] * 50 + ["y"] * 50})
    images = pl.Series(["one"] * 50 + [f"im{i}" for i in range(50)])
    found = measure_fairness(table, np.arange(100) % 2.0, sensitive=["a"], cluster_ids=images)
    row = row_of(found.gaps, a="x")
    assert (row["state"], row["ci_low"], row["p"]) == ("insufficient evidence", None, None)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), clustered=st.booleans(), real=st.booleans())
def test_neither_the_order_of_rows_nor_the_names_of_values_matter(
    *, seed: int, clustered: bool, real: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = 300
    table = name_groups(rng, n, sex=2, age=3, size=2)
    errors = rng.gamma(1.0, 1.0, n) if real else draw_errors(rng, np.full(n, 0.2))
    images = pl.Series(rng.integers(0, 80, n)) if clustered else None
    order = rng.permutation(n)

    def measure(rows: Any, *, swap: bool) -> pl.DataFrame:
        renamed = table.with_columns(
            pl.col("age").replace({"age0": "age2", "age2": "age0"}) if swap else pl.col("age")
        )
        gaps = measure_fairness(
            renamed[rows], errors[rows], sensitive=["sex", "age"], adjust_for=["size"],
            cluster_ids=None if images is None else images[rows],
        ).gaps  # fmt: skip
        back = {"age0": "age2", "age2": "age0"} if swap else {}
        text = pl.Series(
            [str([back.get(one["value"], one["value"]) for one in row])
             for row in gaps["predicates"]]
        )  # fmt: skip
        return gaps.drop("predicates").with_columns(group=text).sort("group")

    want = measure(np.arange(n), swap=False)
    for other in (measure(order, swap=False), measure(np.arange(n), swap=True)):
        assert_frame_equal(want, other, abs_tol=1e-9, rel_tol=1e-9)


def test_all_that_is_wrong_with_the_arguments_is_told_at_once() -> None:
    table = pl.DataFrame({"a": ["x", None], "b": ["p", "q"]})
    with pytest.raises(TableError) as told:
        measure_fairness(
            table, [1.0, -1.0], sensitive=["a", "c"], adjust_for=["d"],
            cluster_ids=pl.Series(["i"]), sample_ids=pl.Series(["s", "s"]),
            max_level=3, min_group=1,
        )  # fmt: skip
    parts = (
        "'a' is empty in 1 rows", "'c' is no column", "'d' is no column", "cluster_ids are 1",
        "not unique", "max_level is 3", "min_group is 1", "1 errors are negative",
    )  # fmt: skip
    for part in parts:
        assert part in str(told.value)
    with pytest.raises(TableError, match="no sensitive attribute"):
        measure_fairness(table, [1.0, 0.0], sensitive=[])
    with pytest.raises(TableError, match="shape"):
        measure_fairness(table, [1.0], sensitive=["b"])
