"""Draws chosen by their weights."""

import numpy as np

from pipeline.arrays import Floats, Ints

_LEAST_EFFECTIVE = 100.0  # draws that weights must leave; else they are flattened


def resample(log_weight: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Draw `count` positions by their weights, evenly spaced.

    log_weight: (d,). Weights that would leave fewer than 100 effective draws are raised to the
    largest power below 1 that leaves as many. Source: systematic resampling, Kitagawa, Journal of
    Computational and Graphical Statistics 5, 1996.
    """
    low, high = 0.0, 1.0
    if _count_effective(log_weight, 1.0) >= _LEAST_EFFECTIVE:
        low = 1.0
    else:
        for _ in range(30):
            power = (low + high) / 2
            if _count_effective(log_weight, power) >= _LEAST_EFFECTIVE:
                low = power
            else:
                high = power
    weight = _flatten(log_weight, low)
    steps = (np.arange(count) + rng.random()) / count
    places = np.searchsorted(np.cumsum(weight / weight.sum()), steps)
    return rng.permutation(np.minimum(places, len(weight) - 1)).astype(np.int64)


def pick_columns(log_weight: Floats, rng: np.random.Generator) -> Ints:
    """Draw a column of each row of (d, k) by its weight."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    steps = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    chosen = (rng.random((len(steps), 1)) > steps).sum(axis=1)
    return np.asarray(np.minimum(chosen, log_weight.shape[1] - 1), np.int64)


def _flatten(log_weight: Floats, power: float) -> Floats:
    known = np.isfinite(log_weight)
    top = log_weight[known].max(initial=-np.inf)
    weight = np.zeros(len(log_weight))
    weight[known] = np.exp(power * (log_weight[known] - top))
    return weight


def _count_effective(log_weight: Floats, power: float) -> float:
    weight = _flatten(log_weight, power)
    return float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300))
