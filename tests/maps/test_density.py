"""Density, errors, regions and outlines of a map with a planted weakness."""

import io

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.arrays import Floats, Ints
from pipeline.maps.density import CELLS, find_cells, frame_positions, map_density
from pipeline.maps.density_image import SIDE, encode_webp, paint_density
from pipeline.maps.name_regions import describe_regions, find_regions
from pipeline.maps.outlines import outline_samples


def draw_hills(seed: int = 0) -> tuple[Floats, Ints]:
    """Return 3,000 places in three hills, and the hill of each."""
    rng = np.random.default_rng(seed)
    hill = rng.integers(0, 3, 3000)
    middles = np.array([[0.25, 0.25], [0.75, 0.3], [0.5, 0.75]])
    return middles[hill] + rng.normal(0, 0.05, (3000, 2)), hill


def draw_errors(rate: Floats, *, seed: int) -> Floats:
    """Return errors of 0 or 1 with these rates."""
    return (np.random.default_rng(seed).random(len(rate)) < rate).astype(np.float64)


def test_only_the_hill_where_the_system_fails_is_red() -> None:
    places, hill = draw_hills()
    errors = draw_errors(np.where(hill == 1, 0.5, 0.05), seed=1)
    found = map_density(places, errors)
    rows, columns = find_cells(places)
    red = found.worse[rows, columns]
    assert red[hill == 1].mean() > 0.8
    assert red[hill != 1].mean() < 0.05
    picture = paint_density(found)
    assert picture.shape == (SIDE, SIDE, 3)
    row, column = 0.3, 0.75
    at_red = picture[int(row * SIDE), int(column * SIDE)].astype(int)
    assert at_red[0] - at_red[1] > 60  # red, not gray
    at_gray = picture[int(0.25 * SIDE), int(0.25 * SIDE)].astype(int)
    assert np.ptp(at_gray) < 25
    assert (picture[2, 2] >= 249).all()  # paper


def test_without_a_weakness_about_one_place_in_forty_is_red() -> None:
    shares = []
    for seed in range(12):
        places, _ = draw_hills(seed)
        errors = draw_errors(np.full(3000, 0.15), seed=seed + 50)
        rows, columns = find_cells(places)
        shares.append(map_density(places, errors).worse[rows, columns].mean())
    assert np.mean(shares) < 0.05


def test_errors_that_are_no_shares_have_an_interval_by_their_variance() -> None:
    places, hill = draw_hills()
    errors = np.random.default_rng(1).gamma(2, np.where(hill == 2, 6.0, 2.0))
    rows, columns = find_cells(places)
    red = map_density(places, errors).worse[rows, columns]
    assert red[hill == 2].mean() > 0.8
    assert red[hill != 2].mean() < 0.05


def test_samples_without_an_error_are_drawn_and_say_nothing() -> None:
    places, _ = draw_hills()
    found = map_density(places, np.full(3000, np.nan))
    assert not found.worse.any()
    assert abs(found.density.sum() - 3000) < 5
    assert np.isnan(found.error).all()


def test_a_picture_is_small_and_the_same_twice() -> None:
    places, _ = draw_hills()
    found = map_density(places, np.zeros(3000))
    first, second = (encode_webp(paint_density(found)) for _ in range(2))
    assert first == second
    assert len(first) < 60_000
    assert Image.open(io.BytesIO(first)).size == (SIDE, SIDE)


def test_regions_are_the_hills_named_by_what_is_typical() -> None:
    places, hill = draw_hills()
    regions = find_regions(places)
    assert regions.max() == 2
    for one in range(3):
        own, counts = np.unique(regions[hill == one], return_counts=True)
        assert counts.max() > 0.97 * counts.sum(), own
    time = pl.Series("time", np.where(hill == 1, "night", "day"))
    noise = pl.Series("noise", np.random.default_rng(9).choice(["a", "b"], 3000))
    errors = (hill == 1).astype(np.float64)
    table = describe_regions(places, regions, errors, pl.DataFrame([time, noise]))
    night = table.filter(pl.col("name") == "time = night")
    assert night.height == 1
    row = night.row(0, named=True)
    assert abs(row["x"] - 0.75) < 0.06
    assert abs(row["y"] - 0.3) < 0.06
    assert row["error"] > 0.9
    assert row["ci_low"] > errors.mean()
    assert "noise" not in " ".join(table["name"])


def test_an_outline_is_around_its_samples() -> None:
    places, hill = draw_hills()
    lines = outline_samples(places[hill == 0])
    assert len(lines) == 1
    line = np.array(lines[0])
    center = line.mean(axis=0)
    np.testing.assert_allclose(center, [0.25, 0.25], atol=0.02)
    radius = np.linalg.norm(line - center, axis=1)
    assert radius.min() > 0.04
    assert radius.max() < 0.15
    assert outline_samples(places[:0]) == []


def test_two_far_groups_have_two_outlines() -> None:
    places, hill = draw_hills()
    assert len(outline_samples(places[hill != 2])) == 2


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=40)
def test_any_few_points_have_closed_lines_and_regions(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 2)) * rng.choice([1e-9, 1.0, 1e6])
    places = frame_positions(points).place(points)
    assert ((places >= 0) & (places <= 1)).all()
    for line in outline_samples(places):
        assert len(line) >= 4
    regions = find_regions(places)
    assert len(regions) == n
    assert map_density(places, rng.random(n)).density.shape == (CELLS, CELLS)
