"""Balanced accuracy, its paired change, and the columns of the table."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import balanced_accuracy_score

from pipeline.tuning.head_training import Target
from pipeline.tuning.judge_head import (
    Change,
    compare_hits,
    describe_probe,
    describe_target,
    join_hits,
    judge_values,
    weigh_hits,
)
from pipeline.tuning.step_choice import choose_step, draw_curve


def test_hits_have_the_balanced_accuracy_as_their_mean() -> None:
    rng = np.random.default_rng(0)
    classes = rng.choice(3, 400, p=[0.7, 0.2, 0.1])
    values = np.where(rng.random(400) < 0.7, classes, rng.integers(3, size=400))
    assert weigh_hits(values, classes).mean() == pytest.approx(
        balanced_accuracy_score(classes, values)
    )
    unknown = np.where(np.arange(400) < 50, -1, classes)
    assert weigh_hits(values, unknown).mean() == pytest.approx(
        balanced_accuracy_score(classes[50:], values[50:])
    )


def test_attributes_weigh_alike_whatever_is_known_of_each() -> None:
    groups = [pl.Series(["a"] * 10), pl.Series(["b"] * 90)]
    hits, _ = join_hits([(np.ones(10), groups[0]), (np.zeros(90), groups[1])])
    assert hits.mean() == pytest.approx(0.5)


def test_rows_of_one_group_hang_together() -> None:
    rng = np.random.default_rng(1)
    before = rng.random(50).round()
    after = np.maximum(before, (rng.random(50) < 0.3).astype(float))
    alone = compare_hits(before, after, pl.Series([str(n) for n in range(50)]))
    same = compare_hits(np.repeat(before, 4), np.repeat(after, 4),
                        pl.Series([str(n // 4) for n in range(200)]))  # fmt: skip
    assert same.value == pytest.approx(alone.value)
    assert same.high - same.low == pytest.approx(alone.high - alone.low, rel=0.05)


def test_the_table_shows_a_cosine_that_rises_while_accuracy_falls() -> None:
    classes = np.array([0, 1] * 20)
    captions = np.eye(4)[:2]
    target = Target(captions, np.array([0, 1]), classes)
    good = np.eye(4)[classes] + np.array([0, 0, 2.0, 0])
    bad = np.ones((40, 4)) * [1.0, 1.0, 0.1, 0]
    rows = [
        describe_target("hat", way, one / np.linalg.norm(one, axis=1, keepdims=True), target)
        for way, one in (("untuned", good), ("tuned", bad))
    ]
    untuned, tuned = pl.concat(rows).rows(named=True)
    assert untuned["accuracy"] == untuned["recall_image"] == untuned["precision"] == 1.0
    assert tuned["accuracy"] == 0.5
    assert tuned["matched"] > untuned["matched"]
    assert tuned["matched_less_others"] == pytest.approx(0.0)
    assert judge_values(good, target).tolist() == classes.tolist()


def test_a_probe_has_no_cosines() -> None:
    row = describe_probe("hat", np.array([0, 1, 1]), np.array([0, 1, -1])).row(0, named=True)
    assert (row["n"], row["accuracy"], row["matched"]) == (2, 1.0, None)


def test_the_largest_step_that_gains_and_keeps_is_chosen() -> None:
    gains = [Change(0, 0, 0), Change(0.1, 0.05, 0.2), Change(0.2, 0.1, 0.3), Change(0.3, 0.2, 0.4)]
    losses = [Change(0, 0, 0), Change(0, -0.01, 0.005), Change(0, -0.01, 0.009),
              Change(0, -0.01, 0.02)]  # fmt: skip
    curve = draw_curve([0.0, 0.1, 0.2, 0.3], gains, losses, keep=0.01)
    assert curve["allowed"].to_list() == [False, True, True, False]
    assert choose_step(curve) == 0.2
    assert choose_step(draw_curve([0.0, 0.1], gains[:1] * 2, losses[:2], keep=0.01)) is None
