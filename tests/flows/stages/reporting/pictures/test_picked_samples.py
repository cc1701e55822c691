"""Which samples of findings are shown, and which outside are nearest."""

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flows.stages.reporting.finding_numbers import bin_errors, share_errors, spread_errors
from flows.stages.reporting.near_samples import find_near
from flows.stages.reporting.pictures.picked_samples import Turns, pick_contrast, take_first
from pipeline.workspace.scans.scan_store import Scan


def test_no_image_is_shown_twice_before_others_had_their_turn() -> None:
    n = 60
    turns = Turns(pl.Series([f"image {at}" for at in range(n)]))
    errors = np.tile([1.0, 0.0], n // 2)  # 30 of each
    shown: Counter[int] = Counter()
    for _ in range(3):  # three findings of the same samples: 24 of the 30
        picked = pick_contrast(np.arange(n), errors, turns)
        assert len(picked.failing) == len(picked.passing) == 8
        assert set(errors[picked.failing]) == {1.0}
        assert set(errors[picked.passing]) == {0.0}
        shown.update(picked.failing)
    assert set(shown.values()) == {1}
    shown.update(pick_contrast(np.arange(n), errors, turns).failing)
    assert len(shown) == 30  # the six left came first
    assert sorted(shown.values()) == [1] * 28 + [2] * 2


def test_objects_of_one_image_come_after_those_of_others() -> None:
    turns = Turns(pl.Series(["a", "a", "b", "a", "c"]))
    picked = pick_contrast(np.arange(5), np.array([9.0, 8, 3, 7, 1]), turns)
    images = [["a", "a", "b", "a", "c"][row] for row in picked.failing]
    assert images[:2] == ["a", "b"]


def test_of_equal_errors_there_is_no_contrast() -> None:
    turns = Turns(pl.Series(["a", "b"]))
    assert pick_contrast(np.arange(2), np.zeros(2), turns).failing == []
    assert pick_contrast(np.arange(2), np.ones(2), turns).passing == []
    assert pick_contrast(np.arange(0), np.ones(2), turns).failing == []


def test_the_nearest_are_outside_and_like_those_that_fail() -> None:
    angles = np.linspace(0, np.pi / 2, 40)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)
    keys = pl.Series([f"key {at:02}" for at in range(40)])
    inside = np.zeros(40, bool)
    inside[18:22] = True
    asked = pl.concat([keys.head(39), pl.Series(["gone"])])  # the last has no vector
    scan = Scan("encoder", vectors, keys)
    (near,) = find_near(scan, asked, [[19, 20]], [inside], Turns(keys))
    assert sorted(near.rows) == [14, 15, 16, 17, 22, 23, 24, 25]
    assert near.similarities == sorted(near.similarities, reverse=True)
    (none,) = find_near(scan, asked, [[]], [inside], Turns(keys))
    assert none.rows == []


def test_shares_count_each_sample_once() -> None:
    errors = np.array([1.0, 1, 0, 2])
    first, second = share_errors([np.array([0, 1]), np.array([1, 3])], errors)
    assert first == (0.5, 0.5, 0.5, 0.5)
    assert second == (0.75, 0.5, 1.0, 0.75)


def test_errors_are_spread_over_two_bins_or_ten() -> None:
    errors = np.array([1.0, 0, 0, 0])
    two = spread_errors(errors[:2], bin_errors(errors))
    assert two["inside"].to_list() == [0.5, 0.5]
    assert two["outside"].to_list() == [1.0, 0.0]
    errors = np.array([0.0, 5, 2, 1])
    ten = spread_errors(errors[:2], bin_errors(errors))
    assert ten.height == 10
    assert ten["inside"].sum() == ten["outside"].sum() == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0])), min_size=1),
    st.integers(1, 12),
)
def test_the_first_in_order_are_taken_without_sorting(
    rows: list[tuple[int, float]], count: int
) -> None:
    keys = [np.array([row[0] for row in rows]), np.array([row[1] for row in rows])]
    sorted_rows = np.lexsort((np.arange(len(rows)), keys[1], keys[0]))
    assert take_first(keys, count).tolist() == sorted(sorted_rows[:count].tolist())


def test_many_rows_give_the_same_choice_as_all_of_them() -> None:
    rng = np.random.default_rng(0)
    n = 5_000
    images = pl.Series(rng.integers(0, 3_000, n)).cast(pl.String)
    errors = rng.integers(0, 3, n).astype(np.float64)
    turns, ranks = Turns(images), images.rank("dense").to_numpy()
    shown = np.zeros(int(ranks.max()) + 1)
    for _ in range(4):
        picked = turns.pick(np.arange(n), errors)
        order = np.lexsort((np.arange(n), -errors, shown[ranks]))
        _, first = np.unique(ranks[order], return_index=True)
        assert picked == order[np.sort(first)[:8]].tolist()
        shown[ranks[picked]] += 1
