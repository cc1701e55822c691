"""A threshold without any truth: where two heaps of scores part, if there are two."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.labels.quality.ensembles import Weighed
from pipeline.tables import LABEL_THRESHOLDS, check

LEAST = 50  # samples of a mixture
MOST = 5_000  # samples it is fitted to: more change its third digit
_CUTS = (0.05, 0.2, 0.5, 0.8, 0.95)  # quantiles that a fit starts from: one heap may be small
SEPARATED = 2.0  # Ashman's D from which two components are two heaps


@dataclass(frozen=True)
class Mixture:
    """Two normal components of logit differences, the lower one first.

    threshold: the difference between their means where both are as probable. separation: Ashman's
    D (Ashman, Bird and Zepf, Astronomical Journal 108, 1994): sqrt(2) |m1 - m2| / sqrt(s1^2 +
    s2^2). supported: whether two components explain more than one (BIC) and are apart (D > 2).
    """

    threshold: float
    separation: float
    supported: bool


def fit_mixture(differences: Floats) -> Mixture | None:
    """Fit two normal components of any width to (n,) logit differences.

    None with fewer than 50 samples, equal ones, or where the components meet nowhere between their
    means, as with one inside the other.
    """
    if len(differences) < LEAST or np.ptp(differences) < 1e-6:
        return None
    numbers = np.sort(differences)[:: -(-len(differences) // MOST)]
    two = max((_fit_from(numbers, cut) for cut in _CUTS), key=lambda fit: float(fit.lower_bound_))
    numbers = numbers[:, None]
    order = np.argsort(two.means_[:, 0])
    means, widths = two.means_[order, 0], np.sqrt(two.covariances_[order, 0, 0])
    grid = np.linspace(means[0], means[1], 2001)
    upper = two.predict_proba(grid[:, None])[:, order[1]] >= 0.5
    if upper[0] or not upper[-1]:
        return None
    separation = float(np.sqrt(2) * (means[1] - means[0]) / np.sqrt((widths**2).sum()))
    return Mixture(
        threshold=float(grid[upper.argmax()]),
        separation=separation,
        supported=bool(two.bic(numbers) < _measure_bic(numbers)) and separation > SEPARATED,
    )


def _fit_from(numbers: Floats, cut: float) -> Any:  # noqa: ANN401 - scikit-learn ships no types
    """Fit two components to sorted numbers, starting from those below and above a quantile."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    halves = np.split(numbers, [max(2, min(len(numbers) - 2, round(cut * len(numbers))))])
    spreads = np.array([max(float(half.var()), 1e-6) for half in halves])
    mixture = GaussianMixture(
        2,
        init_params="random_from_data",  # not used: all starts are given
        weights_init=[len(half) / len(numbers) for half in halves],
        means_init=[[half.mean()] for half in halves],
        precisions_init=(1 / spreads)[:, None, None],
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a poor fit has a poor likelihood
        return mixture.fit(numbers[:, None])


def _measure_bic(numbers: Floats) -> float:
    """Return the Bayesian information criterion of one normal component."""
    n = len(numbers)
    return float(n * (np.log(2 * np.pi * numbers.var()) + 1) + 2 * np.log(n))


def fit_mixtures(weighed: Weighed) -> dict[str, Mixture]:
    """Fit a mixture to the logit differences of each value to the best of the others.

    Of two values the second says what the first says, and is left out.
    """
    differences = weighed.list_differences()
    values = weighed.values[:1] if len(weighed.values) == 2 else weighed.values
    found = {value: fit_mixture(differences[:, v]) for v, value in enumerate(values)}
    return {value: mixture for value, mixture in found.items() if mixture is not None}


def cut_at_mixture(weighed: Weighed, mixture: Mixture) -> pl.DataFrame:
    """Return sample_id and value of an attribute of two values cut at the mixture's threshold."""
    first = weighed.list_differences()[:, 0] >= mixture.threshold
    names = pl.Series("value", weighed.values, dtype=pl.String).gather((~first).astype(np.int64))
    return pl.DataFrame({"sample_id": weighed.sample_ids, "value": names})


def list_mixtures(
    weighed: Weighed, mixtures: Mapping[str, Mixture], *, attribute: str
) -> pl.DataFrame:
    """Return LABEL_THRESHOLDS of what the scores alone suggest, origin "mixture".

    mixtures: as `fit_mixtures` returns them. The margin is that at the threshold: of two values the
    `min_margin` that leaves labels between the threshold and the plain rule unknown, given for the
    value that has fewer labels then.
    """
    rows = []
    for value, mixture in mixtures.items():
        owner, margin = _place_margin(weighed, value, mixture)
        own = weighed.best == weighed.values.index(owner)
        kept = float((weighed.margin[own] >= margin).mean()) if own.any() else 0.0
        note = None
        if not mixture.supported:
            note = "the scores form one heap, not two; do not use it"
        rows.append(
            {
                "attribute": attribute,
                "value": owner,
                "origin": "mixture",
                "margin": margin,
                "kept": kept,
                "separation": mixture.separation,
                "note": note,
            }
        )
    full = [{name: row.get(name) for name in LABEL_THRESHOLDS} for row in rows]
    frame = pl.DataFrame(full, schema=dict(LABEL_THRESHOLDS))
    return check(frame, LABEL_THRESHOLDS, table="label_thresholds")


def _place_margin(weighed: Weighed, value: str, mixture: Mixture) -> tuple[str, float]:
    """Return the value whose labels the threshold questions, and the margin at the threshold."""
    margin = float(np.tanh(abs(mixture.threshold) / 2))  # of two probabilities, from their logits
    if len(weighed.values) == 2 and mixture.threshold < 0:
        return weighed.values[1], margin
    return value, margin if mixture.threshold > 0 else 0.0
