"""From scores to probabilities: how often a score is right, and a fit that makes it so."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from pipeline.arrays import Array, Floats
from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.statistics.intervals import wilson_interval
from pipeline.tables import LABEL_CALIBRATION, LABEL_RELIABILITY, check

Fit = Literal["isotonic", "Platt"]

FOLDS = 5
BINS = 10
_LEAST_ISOTONIC = 1000  # samples; with fewer a step function follows their accidents
_LEAST_RARE = 100  # of them right, and wrong
_LEAST_LOGIT = 1e-6


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Scores of n samples beside the probabilities that were fitted to them.

    probability: (n,) of each sample, from a fit to the folds that it is not in. hits: (n,) 1 where
    the label is right. weights: (n,). cluster_ids: (n,).
    """

    fit: Fit
    score: Floats
    probability: Floats
    hits: Floats
    weights: Floats
    cluster_ids: pl.Series


def choose_fit(hits: Floats) -> Fit:
    """Return "isotonic" with at least 1,000 samples of which 100 are right and 100 wrong.

    With fewer, Platt's two parameters. Source of the rule: Niculescu-Mizil and Caruana (ICML 2005)
    and scikit-learn's guide, which find isotonic regression better from about 1,000 samples on.
    """
    rare = min(hits.sum(), len(hits) - hits.sum())
    return "isotonic" if len(hits) >= _LEAST_ISOTONIC and rare >= _LEAST_RARE else "Platt"


def calibrate_scores(
    score: Floats, hits: Floats, *, weights: Floats, cluster_ids: pl.Series
) -> Calibrated | None:
    """Fit probabilities to (n,) scores in 0 to 1, each sample by a fit that has not seen it.

    hits: (n,) 1 where the label is right, else 0. weights: (n,) 1 / inclusion. cluster_ids: (n,)
    the image of each sample; an image is in one fold. None where that cannot be done: with fewer
    images than folds, or where all are right or all wrong.
    """
    if cluster_ids.n_unique() < FOLDS or len(np.unique(hits)) < 2:
        return None
    fit = choose_fit(hits)
    images = cluster_ids.rank("dense").to_numpy() - 1
    folds = np.random.default_rng(0).permutation(images.max() + 1)[images] % FOLDS
    probability = np.zeros(len(score))
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        own = (score[train], hits[train], weights[train])
        probability[test] = _predict(fit, *own, score[test])
    return Calibrated(fit, score, probability, hits, weights, cluster_ids)


def measure_calibration(
    calibrated: Calibrated, *, attribute: str, value: str | None
) -> pl.DataFrame:
    """Return one row of LABEL_CALIBRATION: how far scores and fitted probabilities are off."""
    own = (calibrated.hits, calibrated.weights)
    row = {
        "attribute": attribute,
        "value": value,
        "fit": calibrated.fit,
        "n": len(calibrated.hits),
        "calibration_error": measure_calibration_error(calibrated.score, *own),
        "calibration_error_fitted": measure_calibration_error(calibrated.probability, *own),
        "brier": measure_brier(calibrated.score, *own),
        "brier_fitted": measure_brier(calibrated.probability, *own),
    }
    frame = pl.DataFrame([row], schema=dict(LABEL_CALIBRATION))
    return check(frame, LABEL_CALIBRATION, table="label_calibration")


def measure_calibration_error(
    predicted: Floats, hits: Floats, weights: Floats, *, bins: int = BINS
) -> float:
    """Return the expected calibration error: mean over bins of |mean predicted - share right|.

    Bins hold about as many samples each. Source: Naeini, Cooper and Hauskrecht (AAAI 2015), with
    bins of equal mass (Nguyen and O'Connor, EMNLP 2015). With few samples it is above 0 also for
    perfect probabilities.
    """
    gaps = 0.0
    for rows in _split(predicted, bins):
        share = np.average(hits[rows], weights=weights[rows])
        gap = abs(np.average(predicted[rows], weights=weights[rows]) - share)
        gaps += float(gap * weights[rows].sum())
    return gaps / float(weights.sum())


def measure_brier(predicted: Floats, hits: Floats, weights: Floats) -> float:
    """Return the weighted mean squared error of probabilities (Brier, 1950)."""
    return float(np.average((predicted - hits) ** 2, weights=weights))


def list_reliability(
    calibrated: Calibrated, *, attribute: str, value: str | None, bins: int = BINS
) -> pl.DataFrame:
    """Return LABEL_RELIABILITY: the bins of the score, then those of the fitted probability.

    Intervals are Wilson's, with effective sample sizes by weights and images.
    """
    rows = []
    for name, predicted in (("score", calibrated.score), (calibrated.fit, calibrated.probability)):
        for number, own in enumerate(_split(predicted, bins)):
            weights = calibrated.weights[own]
            share = float(np.average(calibrated.hits[own], weights=weights))
            low, high = _reach(calibrated, own, share)
            mean = float(np.average(predicted[own], weights=weights))
            rows.append((attribute, value, name, number, len(own), mean, share, low, high))
    frame = pl.DataFrame(rows, schema=dict(LABEL_RELIABILITY), orient="row")
    return check(frame, LABEL_RELIABILITY, table="label_reliability")


def _reach(calibrated: Calibrated, rows: Array, share: float) -> tuple[float, float]:
    weights = calibrated.weights[rows]
    if np.ptp(weights) <= 1e-9 * weights.max():
        ids = calibrated.cluster_ids.gather(rows)
        numbered = number_clusters(calibrated.hits[rows], ids)
        low, high = estimate_mean(numbered, np.arange(len(rows))).interval
        if not np.isnan(low):
            return low, high
    size = weights.sum() ** 2 / (weights**2).sum()
    size *= calibrated.cluster_ids.gather(rows).n_unique() / len(rows)
    lows, highs = wilson_interval(np.array([share * size]), np.array([size]))
    return float(lows[0]), float(highs[0])


def _split(predicted: Floats, bins: int) -> list[Array]:
    """Return the rows of each bin, by rising prediction; equal ones may be in two bins."""
    order = np.argsort(predicted, kind="stable")
    return [rows for rows in np.array_split(order, bins) if len(rows)]


def _predict(fit: Fit, score: Floats, hits: Floats, weights: Floats, wanted: Floats) -> Floats:
    """Fit to the scores of some samples; return the probabilities of the wanted ones."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(hits)) < 2:  # this fold's complement is all right, or all wrong
        return np.full(len(wanted), (hits.sum() + 0.5) / (len(hits) + 1))
    if fit == "isotonic":
        found: Floats = (
            IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            .fit(score, hits, sample_weight=weights)
            .predict(wanted)
        )
        return found
    logits = _take_logit(score)[:, None]
    even = weights / weights.mean()
    model = LogisticRegression(C=1.0).fit(logits, hits, sample_weight=even)
    platt: Floats = model.predict_proba(_take_logit(wanted)[:, None])[:, 1]
    return platt


def _take_logit(score: Floats) -> Floats:
    clipped = np.clip(score, _LEAST_LOGIT, 1 - _LEAST_LOGIT)
    logits: Floats = np.log(clipped / (1 - clipped))
    return logits
