"""Sequential Monte Carlo: early answers are those of all permutations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.slices.evidence.maxima import Maxima
from pipeline.slices.evidence.root_deviance import largest_root_deviance, root_deviance

Floats = NDArray[np.float64]
OPEN = np.ones(1)  # a bound that settles nothing


def make_maxima(values: Floats) -> Maxima:
    return Maxima(lambda numbers: values[numbers.start : numbers.stop], most=len(values))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), rank=st.integers(0, 998))
def test_p_is_that_of_all_permutations_where_it_is_small(seed: int, rank: int) -> None:
    values = np.random.default_rng(seed).normal(size=999)
    statistic = np.sort(values)[::-1][rank]
    whole = (1 + (values >= statistic).sum()) / 1000
    maxima = make_maxima(values)
    p = float(maxima.compute_p(np.array([statistic]), OPEN)[0])
    if whole <= 0.05:
        assert p == whole
    else:
        assert p > 0.05
        assert maxima.made <= 999
        assert p == pytest.approx(whole, rel=0.7)


@pytest.mark.slow
def test_early_p_is_right_on_average_and_costs_few_permutations() -> None:
    p, made = [], []
    for seed in range(300):
        values = np.random.default_rng(seed).random(1000)
        maxima = make_maxima(values)
        p.append(float(maxima.compute_p(np.array([0.6]), OPEN)[0]))
        made.append(maxima.made)
    assert np.mean(p) == pytest.approx(0.4, abs=0.01)
    assert np.mean(made) < 200


@pytest.mark.slow
def test_a_decision_is_hardly_ever_another_than_that_of_all_permutations() -> None:
    differing = made = 0
    for seed in range(100):
        values = np.random.default_rng(seed).random(1000)
        for quantile in (0.9, 0.94, 0.95, 0.96, 0.98, 0.999):
            maxima = make_maxima(values)
            early = maxima.is_rare(quantile, 1.0, 0.05)
            differing += early != ((1 + (values >= quantile).sum()) / 1001 <= 0.05)
            made += maxima.made
    assert differing <= 1
    assert made < 100 * 6 * 800  # even this near to the level


def test_questions_do_not_change_each_others_answers() -> None:
    values = np.random.default_rng(5).random(500)
    asked = np.array([0.3, 0.93, 0.9999])
    together = make_maxima(values).compute_p(asked, np.ones(3))
    maxima = make_maxima(values)
    for statistic in (0.9999, 0.5):
        maxima.is_rare(statistic, 1.0, 0.05)
    alone = [float(maxima.compute_p(asked[i : i + 1], OPEN)[0]) for i in (2, 0, 1)]
    assert together.tolist() == [alone[1], alone[2], alone[0]]


def test_a_decision_takes_the_decisive_permutations_and_p_all_of_them() -> None:
    values = np.concatenate([np.zeros(99), np.ones(900)])
    maxima = Maxima(lambda numbers: values[numbers.start : numbers.stop], most=999, decisive=99)
    assert maxima.is_rare(0.5, 1.0, 0.04)
    assert maxima.made == 99
    assert maxima.compute_p(np.array([0.5]), OPEN)[0] > 0.05
    assert maxima.made > 99
    assert maxima.is_rare(0.5, 1.0, 0.04)  # the same answer after more were made


def test_a_statistic_that_chance_reaches_often_is_decided_after_few() -> None:
    maxima = make_maxima(np.random.default_rng(2).random(999))
    assert not maxima.is_rare(0.5, 1.0, 0.04)
    assert maxima.made == 32


def test_a_bound_far_below_the_resolution_needs_no_permutation() -> None:
    maxima = make_maxima(np.random.default_rng(0).random(999))
    assert maxima.is_rare(9.0, 1e-9, 0.05)
    assert maxima.compute_p(np.array([9.0]), np.array([1e-9])).tolist() == [0.001]
    assert maxima.made == 0
    assert not maxima.is_rare(-np.inf, 1e-9, 0.05)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), n=st.integers(4, 400), sign=st.sampled_from([1.0, -1.0]))
def test_the_largest_root_deviance_is_that_of_all_slices(
    data: st.DataObject, n: int, sign: float
) -> None:
    high = data.draw(st.integers(1, n - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    size = rng.integers(1, n + 1, 30)
    counts = np.stack([rng.hypergeometric(high, n - high, size) for _ in range(4)], axis=1)
    want = [root_deviance(column, size, high, n, sign).max() for column in counts.T]
    assert largest_root_deviance(counts, size, high, n, sign).tolist() == pytest.approx(want)
