"""Two audits compared: moments against textbook formulas, and what each change is called."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipeline.comparison.changes import (
    AuditRows,
    compare_all,
    compare_slices,
    judge_regressions,
)
from pipeline.comparison.gap_moments import Side, measure_slice

HATS = [{"attribute": "hat", "value": "yes"}]
NIGHT = [{"attribute": "time", "value": "night"}]


def draw_rows(
    rates: dict[tuple[str, str], float],
    *,
    seed: int,
    n: int = 4_000,
    listed: tuple[list[dict[str, str]], ...] = (),
    names: str = "image",
) -> AuditRows:
    """Rows of hat and time, the same for all seeds; rates: (hat, time) -> share of errors."""
    rng = np.random.default_rng(0)
    hat = rng.choice(["yes", "no"], n, p=[0.1, 0.9])
    time = rng.choice(["day", "night"], n, p=[0.7, 0.3])
    rate = np.array([rates.get((h, t), 0.1) for h, t in zip(hat, time, strict=True)])
    return AuditRows(
        attributes=pl.DataFrame({"hat": hat, "time": time}),
        errors=(np.random.default_rng(seed).random(n) < rate).astype(float),
        cluster_ids=pl.Series([f"{names}{number}" for number in range(n)]),
        findings=listed,
        counted=30,
    )


WEAK_HATS = {("yes", "day"): 0.5, ("yes", "night"): 0.5}


def test_independent_rows_give_the_variance_of_welch() -> None:
    rng = np.random.default_rng(5)
    errors, others = rng.gamma(1.0, 1.0, 300), rng.gamma(1.0, 1.0, 200)
    inside, other_inside = rng.random(300) < 0.2, rng.random(200) < 0.3
    moments = measure_slice(
        Side(errors, np.arange(300)),
        Side(others, 300 + np.arange(200)),
        inside,
        other_inside,
        clusters=500,
    )
    assert moments is not None
    for values, rows, variance in (
        (errors, inside, moments.gap.variance_before),
        (others, other_inside, moments.gap.variance_after),
    ):
        one, other = values[rows], values[~rows]
        assert variance == pytest.approx(
            one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
        )
    assert moments.gap.covariance == 0


def test_shared_images_are_compared_in_pairs() -> None:
    """The variance of a mean difference of pairs, as the paired t-test has it."""
    rng = np.random.default_rng(6)
    errors = rng.gamma(1.0, 1.0, 500)
    later = errors + 0.1 * rng.normal(size=500)
    inside = rng.random(500) < 0.4
    side, other = Side(errors, np.arange(500)), Side(later, np.arange(500))
    moments = measure_slice(side, other, inside, inside, clusters=500)
    assert moments is not None
    pairs = stats.ttest_rel(later[inside], errors[inside])
    assert moments.error.change / np.sqrt(moments.error.variance) == pytest.approx(pairs.statistic)


def test_a_weakness_that_is_gone_is_fixed_and_one_that_stayed_is_unchanged() -> None:
    rates = WEAK_HATS | {("no", "night"): 0.4, ("yes", "night"): 0.6}
    before = draw_rows(rates, seed=1, listed=(HATS, NIGHT))
    after = draw_rows({("no", "night"): 0.4, ("yes", "night"): 0.4}, seed=2, listed=(NIGHT,))
    changes = compare_slices(before, after)
    states = {row["predicates"][0]["attribute"]: row["verdict"] for row in changes.to_dicts()}
    assert states == {"hat": "fixed", "time": "unchanged"}
    listed = {row["predicates"][0]["attribute"]: row["listed"] for row in changes.to_dicts()}
    assert listed == {"hat": "before", "time": "both"}


def test_the_same_the_other_way_round_is_new_and_fails_the_gate() -> None:
    before, after = draw_rows({}, seed=1), draw_rows(WEAK_HATS, seed=2, listed=(HATS,))
    changes = compare_slices(before, after, max_regression=0.1)
    assert changes["verdict"].to_list() == ["new"]
    assert changes["gate"].to_list() == ["fail"]
    assert judge_regressions(changes) == "fail"
    assert judge_regressions(compare_slices(before, after)) is None
    assert judge_regressions(compare_slices(before, after, max_regression=0.9)) == "pass"


def test_a_finding_of_chance_is_not_fixed() -> None:
    """Of 200 slices without weakness the worst is picked; by another system it seems better."""
    rng = np.random.default_rng(8)
    fixed = 0
    for _ in range(40):
        groups = rng.integers(0, 200, 4_000).astype(str)
        errors, later = (rng.random((2, 4_000)) < 0.1).astype(float)
        frame = pl.DataFrame({"group": groups, "error": errors})
        worst = frame.group_by("group").agg(pl.col("error").mean()).sort("error")["group"][-1]
        ids = pl.Series(range(4_000)).cast(pl.String)
        rows = AuditRows(
            frame.select("group"), errors, ids, ([{"attribute": "group", "value": worst}],), 200
        )
        after = AuditRows(frame.select("group"), later, ids, (), 200)
        fixed += compare_slices(rows, after)["verdict"][0] in {"fixed", "better"}
    assert fixed <= 2


def test_audits_of_other_images_and_of_other_attributes() -> None:
    before = draw_rows(WEAK_HATS, seed=1, listed=(HATS,))
    after = draw_rows(WEAK_HATS, seed=2, n=3_000, names="other")
    assert compare_all(before, after).shared_images == 0
    assert compare_slices(before, after)["verdict"].to_list() == ["unchanged"]
    without = AuditRows(after.attributes.drop("hat"), after.errors, after.cluster_ids, (), 10)
    changes = compare_slices(before, without)
    assert changes["verdict"].to_list() == ["not comparable"]
    assert changes["n_before"].to_list() == [None]


def test_nothing_to_compare() -> None:
    changes = compare_slices(draw_rows({}, seed=1), draw_rows({}, seed=2), max_regression=0.1)
    assert changes.is_empty()
    assert judge_regressions(changes) is None
