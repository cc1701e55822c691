"""Scores that foretell residual errors from vectors, and the rows where they are highest.

A score is a ridge regression of residual errors on features of the vectors. It is cross-fitted: an
image gets its score from the other four fifths of the images, so that high scores with high errors
are no effect of fitting. The sets that are tested are the rows of the highest scores, of several
sizes and several strengths of the penalty; permuted errors go through the same regressions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats, Ints, Mask

Single = NDArray[np.float32]
FOLDS = 5
SHARES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16)  # of the rows: the sizes of sets
PENALTIES = (0.1, 1.0, 10.0)  # times the mean variance of the features, summed over the rows


@dataclass(frozen=True)
class _Ridge:
    """One set of features with the inverses that its regressions need.

    features: (n, p) centered. inverses: for each penalty and fold (p, p).
    """

    features: Single
    inverses: tuple[tuple[Single, ...], ...]


@dataclass(frozen=True)
class ScoreFamily:
    """The sets of high scores among n rows: s sizes for each of the regressions.

    folds: (n,) of each row, by image. sizes: (s,) rows of a set.
    """

    ridges: tuple[_Ridge, ...]
    folds: Ints
    sizes: Ints

    def score(self, residuals: Single) -> list[Single]:
        """Return for each regression the (n, b) cross-fitted scores of b columns of errors."""
        return [score for ridge in self.ridges for score in self._score_ridge(ridge, residuals)]

    def _score_ridge(self, ridge: _Ridge, residuals: Single) -> list[Single]:
        features = ridge.features
        total = features.T @ residuals  # (p, b)
        out = [np.empty_like(residuals) for _ in PENALTIES]
        for fold in range(FOLDS):
            held = np.flatnonzero(self.folds == fold)
            own = features[held]
            others = total - own.T @ residuals[held]
            for scores, inverses in zip(out, ridge.inverses, strict=True):
                scores[held] = own @ (inverses[fold] @ others)
        return out

    def sum_sets(self, residuals: Single) -> Floats:
        """Return (regressions, s, b) sums of residual errors over the sets of b columns."""
        most = int(self.sizes[-1])
        sums = []
        for scores in self.score(residuals):
            best = np.argpartition(-scores, most - 1, axis=0)[:most]
            order = np.take_along_axis(-scores, best, 0).argsort(axis=0, kind="stable")
            best = np.take_along_axis(best, order, 0)
            added = np.cumsum(np.take_along_axis(residuals, best, 0), axis=0, dtype=np.float64)
            sums.append(added[self.sizes - 1])
        return np.stack(sums)


def make_score_family(
    features: tuple[Single, ...], cluster_ids: Ints, *, least: int, seed: int
) -> ScoreFamily:
    """Prepare the regressions on each of several sets of features.

    features: (n, p) each. cluster_ids: (n,) the image of each row, from 0; an image is in one fold.
    least: rows of the smallest set.
    """
    n = len(cluster_ids)
    images = int(cluster_ids.max(initial=-1)) + 1
    folds = (np.random.default_rng([seed, 3]).permutation(images) % FOLDS)[cluster_ids]
    sizes = np.unique([min(max(round(share * n), least), n) for share in SHARES])
    return ScoreFamily(
        tuple(_prepare(one, folds) for one in features), folds, sizes.astype(np.int64)
    )


def score_others(features: Single, residuals: Floats, fitted: Mask, *, penalty: float) -> Floats:
    """Return the scores of the rows that are not `fitted`, by one regression on all that are.

    features: (n, p). residuals: (f,) of the fitted rows.
    """
    own = features[fitted].astype(np.float64)
    center = own.mean(axis=0)
    own -= center
    gram = own.T @ own
    coefficients = np.linalg.solve(_penalize(gram, penalty), own.T @ residuals)
    scores: Floats = (features[~fitted] - center) @ coefficients
    return scores


def _prepare(features: Single, folds: Ints) -> _Ridge:
    centered = features - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    gram = centered.T @ centered
    grams = [gram - centered[folds == f].T @ centered[folds == f] for f in range(FOLDS)]
    inverses = tuple(
        tuple(
            np.linalg.inv(_penalize(one.astype(np.float64), penalty)).astype(np.float32)
            for one in grams
        )
        for penalty in PENALTIES
    )
    return _Ridge(centered, inverses)


def _penalize(gram: Floats, penalty: float) -> Floats:
    size = len(gram)
    return gram + penalty * float(np.trace(gram)) / size * np.eye(size)
