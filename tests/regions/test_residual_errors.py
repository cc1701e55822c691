"""What groups explain is taken out of errors, also where they overlap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.regions.residual_errors import take_out


@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_residual_errors_sum_to_zero_in_every_stratum(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.random(300)
    taken = take_out(errors, [rng.random(300) < 0.3 for _ in range(groups)])
    assert np.allclose(np.bincount(taken.strata, taken.values), 0)
    assert np.allclose(taken.values + taken.expected, errors)


def test_without_groups_the_mean_is_taken_out() -> None:
    taken = take_out(np.array([0.0, 1.0, 2.0]), [])
    assert taken.values.tolist() == [-1.0, 0.0, 1.0]
    assert taken.variance == 2 / 3


def test_rows_of_a_rare_combination_count_for_their_worst_group() -> None:
    weak, weaker = np.arange(400) < 100, (np.arange(400) >= 95) & (np.arange(400) < 200)
    errors = np.where(weaker, 0.8, np.where(weak, 0.4, 0.1))
    taken = take_out(errors, [weak, weaker])
    assert len(np.unique(taken.strata)) == 3
    assert (taken.strata[95:100] == taken.strata[150]).all()


def test_what_a_group_explains_leaves_nothing() -> None:
    weak = np.arange(200) < 60
    taken = take_out(np.where(weak, 1.0, 0.0), [weak])
    assert not taken.values.any()
    assert taken.variance == 0
