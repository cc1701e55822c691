"""How many hits there are, on scores with a planted answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.arrays import Floats, Mask
from pipeline.retrieval.hit_count import count_image_hits, count_text_hits

SCALE = 50.0


def plant_texts(share: float, n: int, *, noise: float, seed: int = 0) -> tuple[Floats, Mask]:
    """Return scores whose ratio is 1/share on the hits and tiny elsewhere, and the hits."""
    rng = np.random.default_rng(seed)
    hit = rng.random(n) < share
    logits = np.where(hit, 0.0, -8.0) + noise * rng.normal(size=n)
    return logits / SCALE, hit


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_hits_of_words_are_counted(share: float) -> None:
    scores, hit = plant_texts(share, 20_000, noise=0.2)
    found = count_text_hits(scores, logit_scale=SCALE)
    assert found is not None
    assert found.hits == pytest.approx(hit.sum(), rel=0.15)
    assert found.chance_rank == pytest.approx(hit.sum(), rel=0.05)
    assert found.probabilities[hit].mean() > 0.85
    assert found.probabilities[~hit].mean() < 0.02


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-1, 1))
def test_a_shift_of_all_scores_and_their_order_change_nothing(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    scores, _ = plant_texts(0.1, 300, noise=0.5, seed=seed)
    order = rng.permutation(300)
    one = count_text_hits(scores, logit_scale=SCALE)
    other = count_text_hits(scores[order] + shift, logit_scale=SCALE)
    assert one is not None
    assert other is not None
    assert one.hits == pytest.approx(other.hits, rel=1e-6)
    np.testing.assert_allclose(one.probabilities[order], other.probabilities, rtol=1e-6)


def test_equal_scores_are_all_hits() -> None:
    found = count_text_hits(np.full(50, 0.3), logit_scale=SCALE)
    assert found is not None
    assert found.hits == pytest.approx(50)
    assert count_text_hits(np.zeros(0), logit_scale=SCALE) is None


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_hits_of_pictures_are_counted(share: float) -> None:
    rng = np.random.default_rng(1)
    hit = rng.random(5000) < share
    scores = np.where(hit, rng.normal(0.6, 0.05, 5000), rng.normal(0.1, 0.1, 5000))
    found = count_image_hits(scores)
    assert found is not None
    assert found.hits == pytest.approx(hit.sum(), rel=0.1)
    assert found.chance_rank == pytest.approx(hit.sum(), rel=0.15)
    assert (np.diff(found.probabilities[np.argsort(-scores, kind="stable")]) <= 0).all()


def test_pictures_without_a_second_component_have_no_end() -> None:
    rng = np.random.default_rng(2)
    assert count_image_hits(rng.normal(size=3000)) is None
    assert count_image_hits(np.full(100, 0.5)) is None
    assert count_image_hits(rng.normal(size=5)) is None


@pytest.mark.parametrize(("hits", "announced"), [(7.4, 7), (0.2, 1), (212.0, 210), (4321.0, 4300)])
def test_a_count_is_announced_with_two_digits(hits: float, announced: int) -> None:
    scores = np.zeros(1)
    found = count_text_hits(scores, logit_scale=1.0)
    assert found is not None
    assert type(found)(hits, 1, found.probabilities).rounded == announced
