"""Scores of windows and what is known of objects become those of images."""

import numpy as np
import polars as pl

from pipeline.mining.unit_scores import is_enough, join_members, take_best

NAN = float("nan")


def test_a_unit_gets_its_best_score_and_the_least_without_any() -> None:
    scores = np.array([[0.1, 5.0], [0.7, 1.0], [0.3, 2.0]])
    found = take_best(scores, np.array([0, 0, 2]), 3)
    assert found.tolist() == [[0.7, 5.0], [0.1, 1.0], [0.3, 2.0]]


def test_an_image_holds_a_member_if_one_of_its_objects_is_one() -> None:
    members = np.array([[1.0, NAN], [NAN, 0.0], [0.0, 0.0], [0.0, NAN]])
    images = pl.Series(["a", "a", "b", "c"])
    found = join_members(members, images, pl.Series(["c", "b", "a", "empty"]))
    assert np.array_equal(found, [[0.0, NAN], [0.0, 0.0], [1.0, NAN], [0.0, 0.0]], equal_nan=True)


def test_ten_members_ten_others_and_a_hundred_together_are_enough() -> None:
    known = np.concatenate([np.ones(10), np.zeros(90), np.full(50, NAN)])
    assert is_enough(known)
    assert not is_enough(known[1:])
    assert not is_enough(np.zeros(500))
