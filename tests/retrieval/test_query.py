"""Queries as vectors, what they are compared with, and hits that differ from each other."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from pipeline.retrieval.query import choose_diverse, fit_captions, make_query, rank_among

NONE = np.zeros((0, 3), np.float32)
X, Y, Z = np.eye(3, dtype=np.float32)


def stack(*rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack(rows).astype(np.float32)


def test_several_texts_are_averaged_to_unit_length() -> None:
    query = make_query(stack(X, Y), NONE, NONE)
    np.testing.assert_allclose(query.vector, [0.5**0.5, 0.5**0.5, 0], atol=1e-7)
    assert query.kind == "text"


def test_what_is_not_wanted_is_subtracted() -> None:
    query = make_query(stack(X), NONE, stack(Y))
    np.testing.assert_allclose(query.vector, [1, -1, 0], atol=1e-7)
    np.testing.assert_allclose(query.wanted, X, atol=1e-7)
    np.testing.assert_allclose(query.reversed.vector, [-1, 1, 0], atol=1e-7)


def test_words_and_pictures_count_the_same_however_many_there_are() -> None:
    query = make_query(stack(X, X, X), stack(Y), NONE)
    np.testing.assert_allclose(query.vector, [0.5**0.5, 0.5**0.5, 0], atol=1e-7)
    assert query.kind == "mixed"
    assert make_query(NONE, stack(Y), NONE).kind == "image"
    with pytest.raises(ValueError, match="text or an image"):
        make_query(NONE, NONE, stack(X))


def test_a_score_is_ranked_among_neutral_ones_of_the_same_sample() -> None:
    samples = stack(X, Y).astype(np.float16)
    neutral = stack(Y, Z, X, -X)
    np.testing.assert_allclose(rank_among(samples, X, neutral), [0.875, 0.375])


def test_neutral_texts_are_distinct() -> None:
    assert len(set(NEUTRAL_TEXTS)) == len(NEUTRAL_TEXTS) == 64


def test_diverse_hits_are_apart_and_the_best_come_first() -> None:
    near = np.array([0.99, 0.141, 0], np.float32)
    ranked = stack(X, near, Y, Z).astype(np.float16)
    assert choose_diverse(ranked, 3, distance=0.3) == [0, 2, 3]
    assert choose_diverse(ranked, 2, distance=0.0) == [0, 1]
    assert choose_diverse(ranked, 9, distance=0.3) == [0, 2, 3]


def test_captions_are_ranked_with_none_of_these_among_them() -> None:
    fits = fit_captions(
        X, ["right", "wrong"], stack(X, Y), none="none of these", none_vectors=stack(Z),
        logit_scale=10.0,
    )  # fmt: skip
    assert [fit.text for fit in fits] == ["right", "wrong", "none of these"]
    assert sum(fit.probability for fit in fits) == pytest.approx(1)
    worse = fit_captions(
        X, ["wrong"], stack(Y), none="none of these", none_vectors=stack(Z, X), logit_scale=10.0
    )
    assert worse[0].text == "none of these"
