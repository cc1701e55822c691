"""Planted weaknesses are found once each; what is known or chance is not."""

import numpy as np
import pytest

from pipeline.arrays import Mask
from pipeline.exceptions import SearchError
from pipeline.regions.weak_regions import find_regions
from tests.regions.drawn_rows import draw_errors, draw_rows


def share_both(inside: Mask, weak: Mask) -> float:
    return float((inside & weak).sum()) / max(int(inside.sum()), int(weak.sum()))


@pytest.mark.parametrize("marks", [(0,), (0, 1)])
def test_a_planted_weakness_is_the_first_region(marks: tuple[int, ...]) -> None:
    rows = draw_rows()
    weak = rows.select(*marks)
    found = find_regions(rows.vectors, draw_errors(weak), rows.images, [])
    assert share_both(found.regions[0].members, weak) > 0.5
    assert found.regions[0].state == "confirmed"
    assert found.regions[0].p_family <= 0.02
    assert found.regions[0].q < 1e-6


def test_what_a_finding_names_is_no_region() -> None:
    rows = draw_rows(1)
    weak = rows.select(0)
    found = find_regions(rows.vectors, draw_errors(weak), rows.images, [weak])
    assert found.regions == ()


def test_tables_without_a_weakness_have_no_region() -> None:
    found = 0
    for seed in range(8):
        rows = draw_rows(seed, rows=500)
        errors = draw_errors(np.zeros(500, np.bool_), seed)
        found += bool(find_regions(rows.vectors, errors, rows.images, [], seed=seed).regions)
    assert found <= 1  # each has one with a chance of 2 %


def test_two_weaknesses_are_two_regions_and_none_is_listed_twice() -> None:
    rows = draw_rows(2, rows=2400)
    first, second = rows.select(0, 1), rows.select(2) & ~rows.select(0)
    errors = draw_errors(first | second, inside=0.7)
    found = find_regions(rows.vectors, errors, rows.images, [], top=5)
    assert len(found.regions) <= 3
    covered = np.any([region.members for region in found.regions], axis=0)
    assert covered[first].mean() > 0.5
    assert covered[second].mean() > 0.5


def test_held_out_images_confirm_a_region() -> None:
    rows = draw_rows(3, rows=2400)
    weak = rows.select(0, 1)
    found = find_regions(rows.vectors, draw_errors(weak), rows.images, [], confirm=0.5)
    region = found.regions[0]
    assert region.holdout_p is not None
    assert region.holdout_p < 0.001
    assert region.state == "confirmed"
    held = found.held_out
    assert share_both(region.members & held, weak & held) > 0.4


def test_an_image_is_not_split_when_half_is_held_out() -> None:
    rows = draw_rows(4)
    found = find_regions(rows.vectors, draw_errors(rows.select(0)), rows.images, [], confirm=0.5)
    for image in range(int(rows.images.max()) + 1):
        assert len(set(found.held_out[rows.images == image].tolist())) == 1
    assert 0.4 < found.held_out.mean() < 0.6


def test_the_same_rows_give_the_same_regions() -> None:
    rows = draw_rows(5)
    errors = draw_errors(rows.select(0))
    once, again = (find_regions(rows.vectors, errors, rows.images, []) for _ in range(2))
    assert [one.z for one in once.regions] == [one.z for one in again.regions]
    assert (once.regions[0].position == again.regions[0].position).all()


def test_equal_errors_have_no_region() -> None:
    rows = draw_rows(6)
    assert find_regions(rows.vectors, np.ones(len(rows.vectors)), rows.images, []).regions == ()


def test_real_valued_errors_are_searched_too() -> None:
    rows = draw_rows(7)
    weak = rows.select(0)
    errors = np.random.default_rng(0).gamma(0.5, np.where(weak, 2.0, 0.6))
    found = find_regions(rows.vectors, errors, rows.images, [])
    assert share_both(found.regions[0].members, weak) > 0.5


def test_too_few_rows_are_refused() -> None:
    rows = draw_rows(8, rows=80)
    with pytest.raises(SearchError, match="80 samples are too few"):
        find_regions(rows.vectors, np.zeros(80), rows.images, [])
