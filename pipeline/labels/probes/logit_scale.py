"""Logits made probabilities: one factor and an offset for each value, from held-out logits."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from pipeline.arrays import Floats, Ints

_LOOSE = 2.0  # standard deviation of the prior of the factor's logarithm


@dataclass(frozen=True)
class LogitScale:
    """Probabilities are the softmax of `factor` * logits + `offsets`; loss: mean, in nats."""

    factor: float
    offsets: Floats  # (k,)
    loss: float

    def weigh(self, logits: Floats) -> Floats:
        """Return (n, k) probabilities of (n, k) logits."""
        return np.asarray(special.softmax(self.factor * logits + self.offsets, axis=1), np.float64)


def fit_scale(logits: Floats, codes: Ints, weights: Floats) -> LogitScale:
    """Fit a factor and offsets to samples that the logits were not trained on.

    logits: (n, k). codes: (n,) the true value of each sample. weights: (n,) of mean 1; they make
    the mean probability of a value its weighted share. Platt's scaling for k values (Guo et al.
    2017, On Calibration of Modern Neural Networks, section 4.2) with his smoothed targets (Platt
    1999), here towards the shares, so that few samples do not make it certain.
    """
    n, k = logits.shape
    spread = float(logits.std()) or 1.0
    scaled = logits / spread
    shares = np.bincount(codes, weights, minlength=k)
    shares = np.maximum(shares / shares.sum(), 1e-9)
    smooth = k / (n + k)
    targets = (1 - smooth) * np.eye(k)[codes] + smooth * shares  # (n, k)

    def measure(parameters: Floats) -> tuple[float, Floats]:
        factor = np.exp(parameters[0])
        logs = special.log_softmax(factor * scaled + parameters[1:], axis=1)
        loss = -(weights[:, None] * targets * logs).sum() + 0.5 * (parameters[0] / _LOOSE) ** 2
        excess = weights[:, None] * (np.exp(logs) - targets)
        slope = factor * (excess * scaled).sum() + parameters[0] / _LOOSE**2
        return float(loss), np.concatenate([[slope], excess.sum(axis=0)])

    start = np.concatenate([[0.0], np.log(shares)])
    found = optimize.minimize(measure, start, jac=True, method="BFGS")
    offsets = found.x[1:] - found.x[1:].mean()
    scale = LogitScale(float(np.exp(found.x[0])) / spread, offsets, 0.0)
    return LogitScale(scale.factor, offsets, measure_loss(scale.weigh(logits), codes, weights))


def measure_loss(probabilities: Floats, codes: Ints, weights: Floats) -> float:
    """Return the weighted mean log-loss, in nats, of (n, k) probabilities."""
    own = np.maximum(probabilities[np.arange(len(codes)), codes], 1e-12)
    return float(-(weights * np.log(own)).sum() / weights.sum())
