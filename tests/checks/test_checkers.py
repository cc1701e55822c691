"""Agreement of two checkers, compared with scikit-learn's kappa."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.checks.checkers import measure_checkers, measure_kappa
from pipeline.tables import CHECKS


def make_checks(*rows: tuple[str, str, str, str | None]) -> pl.DataFrame:
    """Make checks of the label "man" from checker, sample, answer and value."""
    data = [
        {"sample_id": s, "attribute": "sex", "shown": "man", "answer": a, "value": v, "checker": c}
        for c, s, a, v in rows
    ]
    return pl.DataFrame(data, schema=dict(CHECKS))


def test_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    first = rng.choice(["a", "b", "c"], 200, p=[0.6, 0.3, 0.1])
    second = np.where(rng.random(200) < 0.7, first, rng.choice(["a", "b", "d"], 200))
    assert measure_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_is_unknown_where_chance_alone_agrees() -> None:
    same = np.array(["a", "a"])
    assert measure_kappa(same, same) is None
    assert measure_kappa(same[:0], same[:0]) is None


def test_checkers_are_compared_on_the_samples_of_both() -> None:
    checks = make_checks(
        ("a", "1", "right", "man"), ("a", "2", "wrong", "woman"), ("a", "3", "right", "man"),
        ("b", "1", "right", "man"), ("b", "2", "right", "man"), ("b", "9", "right", "man"),
    )  # fmt: skip
    row = measure_checkers(checks).row(0, named=True)
    assert (row["checker"], row["other"]) == ("a", "b")
    assert (row["n"], row["undecided"], row["agreement"], row["kappa"]) == (2, 0, 0.5, 0.0)


def test_just_wrong_contradicts_the_label_and_is_undecided_beside_another_value() -> None:
    checks = make_checks(
        ("a", "1", "wrong", None), ("a", "2", "wrong", None), ("a", "3", "wrong", None),
        ("a", "4", "cannot say", None),
        ("b", "1", "right", "man"), ("b", "2", "wrong", "child"), ("b", "3", "wrong", None),
        ("b", "4", "right", "man"),
    )  # fmt: skip
    row = measure_checkers(checks).row(0, named=True)
    assert (row["n"], row["undecided"], row["agreement"]) == (1, 3, 0.0)
