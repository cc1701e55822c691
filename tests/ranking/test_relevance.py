"""What a query should find: its class, without itself, its image and junk."""

import numpy as np
import polars as pl
import pytest

from pipeline.exceptions import ConfigError
from pipeline.ranking.relevance import choose_queries, group_samples, make_relevance


def test_samples_of_the_class_are_relevant_and_the_query_is_left_out() -> None:
    classes = pl.Series("c", ["a", "b", "a", None, "a"])
    relevance = make_relevance(classes, np.arange(5))
    [(name, relevant, ignored)] = relevance.judge(0)
    assert name == "oxford"
    assert relevant.tolist() == [False, False, True, False, True]
    assert ignored.tolist() == [True, False, False, True, False]  # itself, and what is not known


def test_the_image_of_the_query_is_left_out() -> None:
    relevance = make_relevance(pl.Series("c", ["a", "a", "a"]), np.array([7, 7, 8]))
    [(_, relevant, ignored)] = relevance.judge(1)
    assert relevant.tolist() == [False, False, True]
    assert ignored.tolist() == [True, True, False]


def test_protocols_take_easy_and_hard_as_the_revisited_benchmark_does() -> None:
    classes = pl.Series("c", ["a", "a", "a", "a", "b"])
    difficulty = pl.Series(["easy", None, "hard", "junk", "hard"])
    relevance = make_relevance(classes, np.arange(5), difficulty=difficulty)
    found = {name: (relevant, ignored) for name, relevant, ignored in relevance.judge(0)}
    assert {name: np.flatnonzero(r).tolist() for name, (r, _) in found.items()} == {
        "easy": [1], "medium": [1, 2], "hard": [2],
    }  # fmt: skip
    assert {name: np.flatnonzero(i).tolist() for name, (_, i) in found.items()} == {
        "easy": [0, 2, 3], "medium": [0, 3], "hard": [0, 1, 3],
    }  # fmt: skip


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(ConfigError, match="no class has two samples"):
        make_relevance(pl.Series("who", ["a", "b", None]), np.arange(3))
    with pytest.raises(ConfigError, match="no class has two samples"):
        make_relevance(pl.Series("who", [None, None], dtype=pl.String), np.arange(2))
    with pytest.raises(ConfigError, match="found 'simple'; expected easy, hard, junk"):
        make_relevance(
            pl.Series("who", ["a", "a"]), np.arange(2), difficulty=pl.Series(["simple", "easy"])
        )


def test_queries_are_drawn_of_classes_that_another_image_has() -> None:
    classes = pl.Series("c", ["a", "a", "b", "c", "c", None, None])
    relevance = make_relevance(classes, np.array([0, 1, 2, 3, 3, 4, 5]))
    assert choose_queries(relevance, count=9, seed=0).tolist() == [0, 1]
    many = make_relevance(pl.Series("c", ["a"] * 50), np.arange(50))
    drawn = choose_queries(many, count=10, seed=1)
    assert len(set(drawn.tolist())) == 10
    assert drawn.tolist() == sorted(drawn.tolist())
    assert drawn.tolist() == choose_queries(many, count=10, seed=1).tolist()
    assert drawn.tolist() != choose_queries(many, count=10, seed=2).tolist()


def test_crops_of_one_image_and_images_of_equal_pixels_are_a_group() -> None:
    samples = pl.DataFrame(
        {"content_key": ["k1", "k2", "k1", "k3", "k4"], "group": ["p", "p", "q", "q", "r"]}
    )
    codes = group_samples(samples)
    assert len(set(codes[:4])) == 1  # q is p again, for they share k1
    assert codes[4] not in codes[:4]
