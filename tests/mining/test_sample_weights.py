"""Weights rise with the lift of a sample's findings, within bounds."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mining.sample_weights import MOST, tabulate_weights, weigh_members


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=6), st.integers(0, 1_000))
def test_weights_are_bounded_whatever_the_lifts(lifts: list[float], seed: int) -> None:
    members = np.random.default_rng(seed).random((20, len(lifts))) < 0.5
    weights = weigh_members(members, lifts)
    assert ((weights >= 1) & (weights <= MOST)).all()
    assert (weights[~members.any(axis=1)] == 1).all()


def test_a_sample_of_two_findings_gets_the_larger_lift() -> None:
    members = np.array([[True, True], [True, False], [False, True], [False, False]])
    assert weigh_members(members, [2.0, 3.5]).tolist() == [3.5, 2.0, 3.5, 1.0]
    assert weigh_members(members, [9.0, float("nan")]).tolist() == [5.0, 5.0, 1.0, 1.0]


def test_an_image_weighs_as_its_heaviest_object() -> None:
    samples = pl.DataFrame(
        {
            "sample_id": ["a1", "a2", "b1"],
            "parent_id": ["a", "a", "b"],
            "path": ["a.png", "a.png", "b.png"],
            "annotation_id": ["10", "9", "11"],
        }
    )
    members = np.array([[True, False], [False, True], [False, False]])
    table = tabulate_weights(samples, members, [3.0, 2.0], [1, 4])
    assert table["sample_id"].to_list() == ["a", "a2", "a1", "b", "b1"]
    assert table["weight"].to_list() == pytest.approx([1.5, 1.0, 1.5, 0.5, 0.5])
    assert table["findings"].to_list() == [[1, 4], [4], [1], [], []]
    for objects in (True, False):
        part = table.filter(pl.col("annotation_id").is_not_null() == objects)
        assert part["weight"].mean() == pytest.approx(1.0)


def test_without_findings_all_weigh_alike() -> None:
    samples = pl.DataFrame(
        {"sample_id": ["a", "b"], "parent_id": [None, None], "path": ["a", "b"],
         "annotation_id": [None, None]},
        schema_overrides={"parent_id": pl.String, "annotation_id": pl.String},
    )  # fmt: skip
    table = tabulate_weights(samples, np.zeros((2, 0), bool), [], [])
    assert table["weight"].to_list() == [1.0, 1.0]
