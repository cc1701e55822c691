"""Measured labels: edges, quantiles, names of bins, sizes of images and boxes."""

import math
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exceptions import TableError
from pipeline.images.measure import MEASURES
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.measure_names import RAW_MEASURES
from pipeline.labels.measured import (
    bin_values,
    get_raw_measure,
    list_bins,
    resolve_edges,
    take_values,
)
from pipeline.tables import LABELS, MEASUREMENTS, SAMPLES

QUARTERS = Attribute(name="light", kind="measured", measure="brightness", quantiles=4)
SIZE = Attribute(name="size", kind="measured", measure="height", edges=(0, 32, 128, math.inf))


def values_of(numbers: list[float | None]) -> pl.DataFrame:
    ids = [f"s{i}" for i in range(len(numbers))]
    return pl.DataFrame({"sample_id": ids, "value": pl.Series(numbers, dtype=pl.Float64)})


def bin_numbers(attribute: Attribute, numbers: list[float | None]) -> list[str]:
    values = values_of(numbers)
    edges = resolve_edges(attribute, values["value"])
    labels = bin_values(attribute, values, edges=edges, label_id="id")
    return labels["value"].to_list()


def samples_of(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(SAMPLES))


def test_raw_measures_are_those_taken_when_decoding() -> None:
    assert set(RAW_MEASURES) == set(MEASURES)


def test_an_edge_belongs_to_the_bin_below() -> None:
    numbers: list[float | None] = [0, 1, 32, 32.5, 128, 129]
    expected = ["<= 32", "<= 32", "<= 32", "(32, 128]", "(32, 128]", "> 128"]
    assert bin_numbers(SIZE, numbers) == expected


def test_bins_are_listed_lowest_first() -> None:
    assert list_bins(SIZE, (32.0, 128.0)) == ["<= 32", "(32, 128]", "> 128"]
    assert list_bins(SIZE, (0.25,)) == ["<= 0.25", "> 0.25"]
    assert list_bins(SIZE, ()) == ["any"]


def test_outer_edges_may_be_left_out() -> None:
    bare = SIZE.model_copy(update={"edges": (32.0, 128.0)})
    assert resolve_edges(bare, pl.Series([1.0])) == resolve_edges(SIZE, pl.Series([1.0]))


def test_names_stand_for_the_bins() -> None:
    named = SIZE.model_copy(update={"names": ("small", "medium", "large")})
    assert bin_numbers(named, [1, 100, 200]) == ["small", "medium", "large"]


def test_a_missing_number_is_unknown() -> None:
    assert bin_numbers(SIZE, [None, math.nan, 1]) == ["unknown", "unknown", "<= 32"]


def test_labels_have_no_score_and_the_order_of_the_samples() -> None:
    labels = bin_values(SIZE, values_of([200, 1]), edges=(32.0,), label_id="id")
    assert dict(labels.schema) == dict(LABELS)
    assert labels["sample_id"].to_list() == ["s0", "s1"]
    assert labels["score"].null_count() == labels["margin"].null_count() == 2
    assert set(labels["source"]) == {"measured"}


def test_quantiles_cut_into_equal_parts() -> None:
    numbers: list[float | None] = [float(i) for i in range(1, 101)]
    labels = bin_numbers(QUARTERS, numbers)
    assert pl.Series(labels).value_counts()["count"].to_list() == [25, 25, 25, 25]
    assert set(labels) == {"<= 25", "(25, 50]", "(50, 75]", "> 75"}


def test_equal_quantile_edges_merge() -> None:
    assert bin_numbers(QUARTERS, [0, 0, 0, 0, 0, 0, 0, 5]) == ["<= 0"] * 7 + ["> 0"]
    assert bin_numbers(QUARTERS, [7, 7, 7]) == ["any"] * 3


def test_quantiles_of_nothing_are_one_bin() -> None:
    assert resolve_edges(QUARTERS, pl.Series([], dtype=pl.Float64)) == ()
    assert resolve_edges(QUARTERS, pl.Series([None, math.nan], dtype=pl.Float64)) == ()


def test_names_are_dropped_when_quantiles_merge() -> None:
    named = QUARTERS.model_copy(update={"names": ("a", "b", "c", "d")})
    assert set(bin_numbers(named, [1, 2, 3, 4])) == {"a", "b", "c", "d"}
    assert set(bin_numbers(named, [1, 1, 1, 2])) == {"<= 1", "> 1"}


def test_quantile_edges_are_short_numbers_that_still_separate() -> None:
    spread = np.random.default_rng(0).gamma(2.0, 100.0, 1000)
    assert all(len(f"{edge:g}") <= 4 for edge in resolve_edges(QUARTERS, pl.Series(spread)))
    close = pl.Series([1000.01, 1000.02, 1000.03, 1000.04])
    assert resolve_edges(QUARTERS, close) == (1000.01, 1000.02, 1000.03)


@given(
    st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=60),
    st.integers(2, 10),
    st.randoms(),
)
def test_every_quantile_bin_is_filled_in_any_row_order(
    numbers: list[float],
    count: int,
    random: Random,
) -> None:
    attribute = QUARTERS.model_copy(update={"quantiles": count})
    edges = resolve_edges(attribute, pl.Series(numbers, dtype=pl.Float64))
    shuffled = list(numbers)
    random.shuffle(shuffled)
    assert resolve_edges(attribute, pl.Series(shuffled, dtype=pl.Float64)) == edges
    labels = bin_values(attribute, values_of(list(numbers)), edges=edges, label_id="id")
    assert set(labels["value"]) == set(list_bins(attribute, edges))
    assert len(edges) < count


def test_sizes_are_of_the_box_or_of_the_image() -> None:
    samples = samples_of(
        [
            {"sample_id": "image", "width": 200, "height": 100},
            {"sample_id": "object", "width": 200, "height": 100, "w": 10.0, "h": 40.0},
        ]
    )
    expected = {
        "width": [200, 10],
        "box_height": [100, 40],
        "area": [20000, 400],
        "aspect_ratio": [2, 0.25],
    }
    for measure, numbers in expected.items():
        attribute = SIZE.model_copy(update={"measure": measure})
        assert get_raw_measure(attribute) is None
        assert take_values(attribute, samples)["value"].to_list() == numbers


def test_raw_measures_are_joined_by_content() -> None:
    samples = samples_of(
        [{"sample_id": name, "content_key": key} for name, key in ("ak", "bm", "ck")]
    )
    measurements = pl.DataFrame(
        [("k", "brightness", "v1", 0.5), ("k", "contrast", "v1", 0.1)],
        schema=dict(MEASUREMENTS),
        orient="row",
    )
    assert get_raw_measure(QUARTERS) == "brightness"
    taken = take_values(QUARTERS, samples, measurements)
    assert taken.rows() == [("a", 0.5), ("b", None), ("c", 0.5)]


def test_measurements_of_two_versions_are_refused() -> None:
    rows = [("k", "brightness", "v1", 0.5), ("k", "brightness", "v2", 0.6)]
    both = pl.DataFrame(rows, schema=dict(MEASUREMENTS), orient="row")
    with pytest.raises(TableError, match="v1, v2"):
        take_values(QUARTERS, samples_of([{"sample_id": "a", "content_key": "k"}]), both)


def test_missing_measurements_are_named() -> None:
    with pytest.raises(TableError, match="'light' needs 'brightness'"):
        take_values(QUARTERS, samples_of([]))
