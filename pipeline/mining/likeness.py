"""How much samples are like the members of a slice: a linear score of their vectors."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Array, Floats, Ints

FOLDS = 5
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)  # times the mean eigenvalue of the vectors' covariance


@dataclass(frozen=True)
class Likeness:
    """Scores of f slices: vectors @ weights + offsets; (d, f) and (f,).

    held_out: (n, f) the scores of the samples it was fitted to, each by a fit without its image.
    """

    weights: Floats
    offsets: Floats
    held_out: Floats

    def score(self, vectors: Array) -> Floats:
        """Return (m, f) scores of (m, d) vectors."""
        scores: Floats = vectors.astype(np.float64) @ self.weights + self.offsets
        return scores


def fit_likeness(vectors: Array, members: Array, cluster_ids: pl.Series) -> Likeness:
    """Fit a linear score of membership for each of f slices.

    vectors: (n, d). members: (n, f) booleans. cluster_ids: (n,) the image each row is of. It is
    ridge regression on membership: the direction is that of Fisher's linear discriminant (Hastie,
    Tibshirani and Friedman, The Elements of Statistical Learning, exercise 4.2), shrunk by the
    penalty of least held-out error.
    """
    rows, target = vectors.astype(np.float64), members.astype(np.float64)
    folds = assign_folds(cluster_ids)
    parts = [_sum_products(rows[folds == fold], target[folds == fold]) for fold in range(FOLDS)]
    whole = _add(parts)
    others = [_add(parts[:fold] + parts[fold + 1 :]) for fold in range(FOLDS)]
    best, best_loss = None, np.inf
    for penalty in _PENALTIES:
        held_out = np.zeros_like(target)
        for fold, own in enumerate(others):
            inside = folds == fold
            weights, offsets = _solve(own, penalty)
            held_out[inside] = rows[inside] @ weights + offsets
        loss = float(((held_out - target) ** 2).mean())
        if loss < best_loss:
            best, best_loss = (penalty, held_out), loss
    penalty, held_out = best or (_PENALTIES[0], np.zeros_like(target))
    return Likeness(*_solve(whole, penalty), held_out)


def assign_folds(cluster_ids: pl.Series) -> Ints:
    """Return (n,) fold numbers; rows of one image share a fold."""
    ranks = cluster_ids.hash(seed=0).rank("dense").cast(pl.Int64) - 1
    folds: Ints = (ranks % FOLDS).to_numpy()
    return folds


_Sums = tuple[float, Floats, Floats, Floats, Floats]  # n, sums of x, of y, of x x', of x y'


def _sum_products(rows: Floats, target: Floats) -> _Sums:
    return float(len(rows)), rows.sum(axis=0), target.sum(axis=0), rows.T @ rows, rows.T @ target


def _add(parts: list[_Sums]) -> _Sums:
    n, x, y, xx, xy = zip(*parts, strict=True)
    return sum(n), sum(x), sum(y), sum(xx), sum(xy)


def _solve(sums: _Sums, penalty: float) -> tuple[Floats, Floats]:
    """Return weights (d, f) and offsets (f,) of the penalised least squares."""
    n, x, y, xx, xy = sums
    n = max(n, 1.0)
    covariance = xx / n - np.outer(x / n, x / n)
    size = float(np.trace(covariance)) / len(covariance) or 1.0
    matrix = covariance + penalty * size * np.eye(len(covariance))
    weights = np.linalg.solve(matrix, xy / n - np.outer(x / n, y / n))
    offsets = y / n - (x / n) @ weights
    return np.asarray(weights, np.float64), np.asarray(offsets, np.float64)
