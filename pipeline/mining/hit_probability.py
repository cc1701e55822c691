"""Scores -> probabilities of belonging to a slice, with how sure these are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Array, Floats

_DRAWS = 200  # bootstrap samples of the images
_STEPS = 30
_PENALTY = 1e-3  # on squared coefficients of scaled scores, so that a separable fit ends
_LEAST, _MOST = 1e-4, 1 - 1e-4  # of probabilities whose logit is taken


@dataclass(frozen=True)
class Expected:
    """The expected share of hits among samples, with the 95 % interval of the share to come."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Probabilities by logistic regression on k scores.

    middle, size: (k,) scores are less this and over that. knots: (m,) where the logit may bend, of
    the first scaled score. coefficients: (k + m + 1,), the intercept last. draws: (b, k + m + 1)
    the same, and coefficients on bootstrap samples of images.
    """

    middle: Floats
    size: Floats
    knots: Floats
    coefficients: Floats
    draws: Floats

    def weigh(self, scores: Floats) -> Floats:
        """Return (n,) probabilities of (n, k) scores."""
        return _to_share(self._scale(scores) @ self.coefficients)

    def expect(self, scores: Floats, *, seed: int = 0) -> Expected:
        """Return the share of hits to expect among samples with these (n, k) scores.

        The interval holds what the calibration is uncertain of and the accident of n samples: in
        each draw every sample is a hit with its probability.
        """
        if len(scores) == 0:
            return Expected(float("nan"), float("nan"), float("nan"))
        scaled = self._scale(scores)
        shares = _to_share(scaled @ self.draws.T)  # (n, b)
        rng = np.random.default_rng(seed)
        rates = (rng.random(shares.shape) < shares).mean(axis=0)
        low, high = np.quantile(rates, (0.025, 0.975))
        return Expected(
            float(_to_share(scaled @ self.coefficients).mean()), float(low), float(high)
        )

    def _scale(self, scores: Floats) -> Floats:
        return _make_rows((scores - self.middle) / self.size, self.knots)


def calibrate(
    scores: Floats,
    members: Array,
    cluster_ids: pl.Series,
    *,
    weights: Floats | None = None,
    bends: Sequence[float] = (),
    draws: int = _DRAWS,
    seed: int = 0,
) -> Calibration:
    """Fit probabilities of membership to scores (Platt scaling, of several scores at once).

    scores: (n, k). members: (n,) booleans. cluster_ids: (n,) images, which are drawn again for the
    uncertainty (cluster bootstrap). weights: (n,) inverses of the probability of being checked.
    bends: quantiles of the first score at which the line of logits may bend (linear splines), for
    scores that are no logits. draws: how often the images are drawn again; without draws nothing
    can be expected. As Platt (1999) has it, targets are shrunk a little, so that no probability
    becomes 0 or 1.
    """
    own = np.ones(len(scores)) if weights is None else weights
    middle = scores.mean(axis=0)
    size = np.where(scores.std(axis=0) > 0, scores.std(axis=0), 1.0)
    scaled = (scores - middle) / size
    knots = np.unique(np.quantile(scaled[:, 0], bends)) if bends else np.zeros(0)
    rows = _make_rows(scaled, knots)
    positive = float(members.sum())
    high, low = (positive + 1) / (positive + 2), 1 / (len(scores) - positive + 2)
    target = np.where(members, high, low)
    found = _fit(rows, target, own, np.zeros(rows.shape[1]))
    codes = cluster_ids.rank("dense").cast(pl.Int64).to_numpy() - 1
    count = int(codes.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    drawn = [found]
    for _ in range(draws):
        times = np.bincount(rng.integers(count, size=count), minlength=count)
        drawn.append(_fit(rows, target, own * times[codes], found))
    return Calibration(middle, size, knots, found, np.stack(drawn))


def _make_rows(scaled: Floats, knots: Floats) -> Floats:
    """Return (n, k + m + 1): scores, by how much the first is above each knot, and 1."""
    above = np.maximum(scaled[:, :1] - knots, 0.0)
    return np.column_stack([scaled, above, np.ones(len(scaled))])


def to_logit(probabilities: Floats) -> Floats:
    """Return logits, of probabilities that are cut at 0.0001 and 0.9999."""
    cut = np.clip(probabilities, _LEAST, _MOST)
    logits: Floats = np.log(cut) - np.log1p(-cut)
    return logits


def _fit(rows: Floats, target: Floats, weights: Floats, start: Floats) -> Floats:
    """Return the coefficients of a weighted logistic regression, by Newton's steps."""
    total = max(float(weights.sum()), 1.0)
    penalty = np.full(rows.shape[1], _PENALTY)
    penalty[-1] = 0.0
    found = start.copy()
    for _ in range(_STEPS):
        share = _to_share(rows @ found)
        slope = rows.T @ (weights * (share - target)) / total + penalty * found
        bend = (rows * (weights * share * (1 - share))[:, None]).T @ rows / total
        bend += np.diag(penalty) + 1e-9 * np.eye(len(found))
        step = np.linalg.solve(bend, slope)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        found -= step
        if float(np.abs(step).max()) < 1e-6:
            break
    return found


def _to_share(logits: Floats) -> Floats:
    shares: Floats = 1 / (1 + np.exp(-np.clip(logits, -35, 35)))
    return shares
