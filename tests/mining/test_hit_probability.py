"""Probabilities fitted to scores are those of the truth, and their intervals hold what comes."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline.arrays import Floats, Mask
from pipeline.mining.hit_probability import calibrate, to_logit


def draw(n: int, seed: int) -> tuple[Floats, Mask]:
    """Scores whose true probability bends: logit 4 s - 4, but nearly flat above 0.9."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 1))
    logits = 4 * scores[:, 0] - 4 - 3.7 * np.maximum(scores[:, 0] - 0.9, 0)
    return scores, rng.random(n) < 1 / (1 + np.exp(-logits))


def ids(n: int) -> pl.Series:
    return pl.Series([f"{number // 2:05}" for number in range(n)])


def test_it_fits_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4_000, 2))
    members = rng.random(4_000) < 1 / (1 + np.exp(-(scores @ [1.5, -0.5] - 1)))
    found = calibrate(scores, members, ids(4_000), draws=0)
    peer = LogisticRegression(C=np.inf).fit(scores, members)
    assert found.weigh(scores) == pytest.approx(peer.predict_proba(scores)[:, 1], abs=0.01)


def test_lines_that_bend_follow_scores_that_are_no_logits() -> None:
    scores, members = draw(20_000, 1)
    top = scores[:, 0] > np.quantile(scores[:, 0], 0.97)
    straight = calibrate(scores, members, ids(20_000), draws=0).weigh(scores)[top].mean()
    bent = calibrate(scores, members, ids(20_000), draws=0, bends=(0.8, 0.95)).weigh(scores)[top]
    assert abs(bent.mean() - members[top].mean()) < 0.05
    assert abs(straight - members[top].mean()) > 0.2


def test_intervals_hold_the_share_that_is_found() -> None:
    held = 0
    for seed in range(40):
        scores, members = draw(600, 100 + seed)
        found = calibrate(scores, members, ids(600), bends=(0.8, 0.95), draws=60)
        later, truth = draw(600, 200 + seed)
        best = np.argsort(-later[:, 0])[:50]
        expected = found.expect(later[best])
        assert expected.low <= expected.rate <= expected.high
        held += expected.low <= truth[best].mean() <= expected.high
    assert held >= 35  # 95 % of 40 are 38


def test_weights_make_up_for_samples_that_were_not_checked() -> None:
    scores, members = draw(6_000, 3)
    kept = members | (np.arange(6_000) % 4 == 0)
    weights = np.where(members, 1.0, 4.0)[kept]
    found = calibrate(scores[kept], members[kept], ids(6_000).filter(pl.Series(kept)),
                      weights=weights, draws=0)  # fmt: skip
    assert found.weigh(scores).mean() == pytest.approx(members.mean(), abs=0.02)


def test_one_kind_alone_and_equal_scores_give_finite_probabilities() -> None:
    found = calibrate(np.ones((20, 1)), np.zeros(20, bool), ids(20), draws=5, bends=(0.8,))
    assert np.isfinite(found.weigh(np.ones((3, 1)))).all()
    assert found.weigh(np.ones((1, 1)))[0] < 0.1
    assert np.isnan(found.expect(np.zeros((0, 1))).rate)


def test_logits_are_finite_at_the_ends() -> None:
    assert to_logit(np.array([0.0, 0.5, 1.0])) == pytest.approx([-9.21, 0.0, 9.21], abs=0.01)
