"""Regions of R-MAC, and vectors pooled from maps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.region_pooling import (
    list_regions,
    pool_maximum,
    pool_regions,
    sum_regions,
    to_unit,
)


def test_a_square_map_has_l_times_l_regions_at_scale_l() -> None:
    assert len(list_regions(12, 12, scales=1)) == 1
    assert len(list_regions(12, 12, scales=3)) == 1 + 4 + 9
    sides = [bottom - top for top, _, bottom, _ in list_regions(12, 12, scales=3)]
    assert sides == [12] + [8] * 4 + [6] * 9  # 2 w / (l + 1)


def test_neighbors_along_the_longer_side_overlap_by_about_forty_percent() -> None:
    first = list_regions(10, 16, scales=1)
    assert first == [(0, 0, 10, 10), (0, 6, 10, 16)]  # they share 4 of 10 columns
    wide = list_regions(10, 28, scales=1)
    shared = [(10 - (after[1] - before[1])) / 10 for before, after in pairwise(wide)]
    assert shared == pytest.approx([0.4] * len(shared), abs=0.11)
    assert [(left, top, right, bottom) for top, left, bottom, right in wide] == list_regions(
        28, 10, scales=1
    )


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 5))
def test_regions_are_squares_inside_the_map_and_reach_its_ends(h: int, w: int, scales: int) -> None:
    regions = list_regions(h, w, scales=scales)
    assert len(set(regions)) == len(regions) >= 1
    for top, left, bottom, right in regions:
        assert 0 <= top < bottom <= h
        assert 0 <= left < right <= w
        assert bottom - top == right - left
    assert max(bottom for _, _, bottom, _ in regions) == h or h > w
    assert {min(r[1] for r in regions), max(r[3] for r in regions)} == {0, w} or h > w


def test_a_region_holds_the_maximum_of_its_own_cells() -> None:
    maps = np.zeros((1, 4, 4, 2), np.float32)
    maps[0, 0, 0] = [3, 4]
    maps[0, 3, 3] = [0, 9]
    pooled = pool_regions(maps, scales=2)  # the whole, then four of 2 x 2
    assert pooled.shape == (1, 5, 2)
    assert pooled[0, 1] == pytest.approx([0.6, 0.8])
    assert pooled[0, 2].tolist() == [0, 0]
    assert pooled[0, 4] == pytest.approx([0, 1])
    assert pool_maximum(maps)[0] == pytest.approx(np.array([3, 9]) / np.hypot(3, 9))
    assert pooled[0, 0] == pytest.approx(pool_maximum(maps)[0])


def test_regions_are_summed_as_unit_vectors() -> None:
    regions = np.array([[[5.0, 0.0], [0.0, 0.1]]], np.float32)
    assert sum_regions(regions)[0] == pytest.approx([2**-0.5, 2**-0.5])
    assert to_unit(np.zeros((2, 3), np.float32)).tolist() == [[0] * 3] * 2
