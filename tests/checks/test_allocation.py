"""How a budget is divided over strata."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.allocation import MINIMUM, allocate_budget, split_by_failure


def ints(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, dtype=np.int64)


def test_totals_are_proportional_to_weight_and_spread() -> None:
    given_ = allocate_budget(
        900, weights=np.array([2.0, 1.0, 1.0]), spreads=np.array([0.5, 0.5, 0.25]),
        checked=ints(0, 0, 0), left=ints(10_000, 10_000, 10_000),
    )  # fmt: skip
    # 2 : 1 : 0.5 of 900
    assert np.abs(given_ - [514.3, 257.1, 128.6]).max() < 1
    assert given_.sum() == 900


def test_answers_before_count_towards_the_total() -> None:
    given_ = allocate_budget(
        60, weights=np.ones(2), spreads=np.ones(2), checked=ints(40, 0), left=ints(500, 500)
    )
    assert given_.tolist() == [10, 50]


def test_every_stratum_gets_the_minimum_where_half_of_the_budget_is_enough() -> None:
    weights = np.array([1.0, 0.0, 0.0, 0.0])
    spreads, none, many = np.full(4, 0.5), ints(0, 0, 0, 0), ints(500, 500, 500, 4)
    assert allocate_budget(
        300, weights=weights, spreads=spreads, checked=none, left=many
    ).tolist() == [300 - 2 * MINIMUM - 4, MINIMUM, MINIMUM, 4]
    scarce = allocate_budget(16, weights=weights, spreads=spreads, checked=none, left=many)
    assert scarce.tolist() == [10, 2, 2, 2]


def test_what_a_small_stratum_cannot_take_goes_to_others() -> None:
    given_ = allocate_budget(
        100, weights=np.array([1.0, 0.0]), spreads=np.full(2, 0.5), checked=ints(0, 0),
        left=ints(30, 200),
    )  # fmt: skip
    assert given_.tolist() == [30, 70]


@given(
    budget=st.integers(1, 400),
    strata=st.lists(
        st.tuples(st.floats(0, 10), st.floats(0.05, 0.5), st.integers(0, 60), st.integers(0, 80)),
        min_size=1,
        max_size=12,
    ),
)
def test_the_whole_budget_is_given_and_no_stratum_gets_more_than_it_has(
    budget: int, strata: list[tuple[float, float, int, int]]
) -> None:
    weights, spreads, checked, left = map(np.array, zip(*strata, strict=True))
    given_ = allocate_budget(budget, weights=weights, spreads=spreads, checked=checked, left=left)
    assert given_.sum() == min(budget, left.sum())
    assert ((given_ >= 0) & (given_ <= left)).all()


def test_two_fifths_of_the_checks_of_a_label_are_of_the_rarer_of_failures_and_others() -> None:
    def split(new: int, sizes: list[int], checked: list[int]) -> list[int]:
        return list(split_by_failure(new, sizes=np.array(sizes), checked=np.array(checked)))

    assert split(30, [950, 50], [0, 0]) == [18, 12]
    assert split(30, [50, 950], [0, 0]) == [12, 18]
    assert split(30, [500, 500], [0, 0]) == [15, 15]
    assert split(30, [995, 5], [0, 0]) == [25, 5]  # there are no more
    assert split(30, [950, 50], [30, 0]) == [6, 24]  # earlier checks count
    assert split(30, [950, 50], [90, 0]) == [0, 30]
    assert split(30, [12], [0]) == [12]
