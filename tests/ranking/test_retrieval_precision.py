"""Average precision by hand, against the benchmark's own definition, and by chance."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ranking.retrieval_precision import average_precision, expect_by_chance, precision_at


def measure_by_the_protocol(
    ranking: list[int], good: set[int], junk: set[int], cuts: tuple[int, ...] = (1, 5, 10)
) -> tuple[float, list[float]]:
    """Return average precision and precisions as the two Oxford papers describe them.

    Walk down the list; junk is as if it were not there; each good image adds a trapezoid between
    the recall before and after it, precision before the first one being 1. A cut beyond the last
    good image is that image's own position.
    """
    recall_before, precision_before, area = 0.0, 1.0, 0.0
    seen = hits = 0
    positions = []
    for image in ranking:
        if image in junk:
            continue
        hits += image in good
        seen += 1
        recall, precision = hits / len(good), hits / seen
        area += (recall - recall_before) * (precision_before + precision) / 2
        recall_before, precision_before = recall, precision
        if image in good:
            positions.append(seen)
    precisions = []
    for cut in cuts:
        reach = min(max(positions), cut)
        precisions.append(sum(p <= reach for p in positions) / reach)
    return area, precisions


def list_ranks(ranking: list[int], good: set[int], junk: set[int]) -> np.ndarray:
    left = [image for image in ranking if image not in junk]
    return np.array([i for i, image in enumerate(left) if image in good])


def test_a_case_worked_out_by_hand() -> None:
    # good, bad, good: (1 + 1) / 2 for the first; (1/2 + 2/3) / 2 for the second.
    assert average_precision(np.array([0, 2])) == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)
    assert average_precision(np.array([1])) == pytest.approx((0 + 1 / 2) / 2)
    assert average_precision(np.arange(4)) == 1.0
    assert np.isnan(average_precision(np.array([], dtype=int)))


def test_precision_ends_at_the_last_relevant_sample() -> None:
    assert precision_at(np.array([0, 1]), 10) == 1.0
    assert precision_at(np.array([0, 3]), 10) == 0.5
    assert precision_at(np.array([2, 30]), 5) == 0.2
    assert precision_at(np.array([2]), 1) == 0.0
    assert np.isnan(precision_at(np.array([], dtype=int), 5))


@given(st.permutations(range(14)), st.data())
def test_it_equals_the_protocol_in_words(ranking: list[int], data: st.DataObject) -> None:
    good = data.draw(st.sets(st.integers(0, 13), min_size=1, max_size=13))
    junk = data.draw(st.sets(st.integers(0, 13), max_size=10)) - good
    ranks = list_ranks(ranking, good, junk)
    area, precisions = measure_by_the_protocol(ranking, good, junk)
    # Between two good images recall does not change, so their trapezoids have no width.
    assert average_precision(ranks) == pytest.approx(area)
    assert [precision_at(ranks, cut) for cut in (1, 5, 10)] == pytest.approx(precisions)


@pytest.mark.parametrize(("relevant", "candidates"), [(1, 5), (2, 5), (5, 5), (3, 6), (1, 1)])
def test_chance_is_the_mean_over_all_orders(relevant: int, candidates: int) -> None:
    orders = [
        average_precision(np.flatnonzero(np.array(order) < relevant))
        for order in permutations(range(candidates))
    ]
    expected = expect_by_chance(np.array([relevant]), np.array([candidates]))
    assert expected[0] == pytest.approx(np.mean(orders))
    assert np.isnan(expect_by_chance(np.array([0]), np.array([4]))[0])
