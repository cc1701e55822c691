"""Penalised logistic regression on vectors, with likeness to prompts as further features."""

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints

_ABSENT = -1e3  # the logit of a value that no training sample has
_STEPS = 1_000


@dataclass(frozen=True)
class Regression:
    """Logits of k values: features @ coefficients.T + intercept; (k, m) and (k,)."""

    coefficients: Floats
    intercept: Floats


@dataclass(frozen=True)
class Features:
    """Features made of n vectors, and the way back: values = vectors @ matrix - shift.

    values: (n, m), m at most n. matrix: (d, m). shift: (m,).
    """

    values: Floats
    matrix: Floats
    shift: Floats

    def restore(self, found: Regression) -> Regression:
        """Return the same logits as a function of the vectors."""
        coefficients = found.coefficients @ self.matrix.T
        return Regression(coefficients, found.intercept - found.coefficients @ self.shift)


def make_features(vectors: Floats, anchors: Floats | None) -> Features:
    """Make the features of n vectors.

    Vectors are centered and scaled so that their mean squared length is 1: the penalty then means
    the same for every encoder. anchors: (k, d); the likeness to each, less the mean of the k, is
    scaled to mean squared length 1 too: one number that weighs as much as a whole vector, hence
    little penalised. Both are turned to at most n orthogonal directions, which changes no penalised
    fit (the solution lies in their span) and is faster.
    """
    middle = vectors.mean(axis=0)
    size = float(np.sqrt(((vectors - middle) ** 2).sum(axis=1).mean())) or 1.0
    matrix = np.eye(vectors.shape[1]) / size
    if anchors is not None:
        likeness = (anchors - anchors.mean(axis=0)).T  # (d, k)
        spread = (vectors - middle) @ likeness
        length = float(np.sqrt((spread**2).sum(axis=1).mean())) or 1.0
        matrix = np.hstack([matrix, likeness / length])
    whole = (vectors - middle) @ matrix
    if whole.shape[0] < whole.shape[1]:
        _, _, directions = np.linalg.svd(whole, full_matrices=False)
        matrix, whole = matrix @ directions.T, whole @ directions.T
    return Features(whole, matrix, middle @ matrix)


def train(features: Floats, classes: Ints, count: int, strength: float) -> Regression:
    """Fit multinomial logistic regression in which all values weigh alike.

    features: (n, m). classes: (n,) codes below `count`. strength: sklearn's C, the inverse of the
    penalty on squared coefficients. A value without samples gets the lowest logit everywhere.
    """
    # Imported here, so that audits without a probe do not wait for it.
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    coefficients, intercept = np.zeros((count, features.shape[1])), np.full(count, _ABSENT)
    present = np.unique(classes)
    if len(present) == 1:
        intercept[present] = 0.0
        return Regression(coefficients, intercept)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=_STEPS)
    with threadpool_limits(1):  # on small arrays threads wait for each other: 19 times the CPU
        model.fit(features, classes)
    if len(present) == 2:  # one row, of the second against the first
        coefficients[present] = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2])
        intercept[present] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        coefficients[present], intercept[present] = model.coef_, model.intercept_
    return Regression(coefficients, intercept)
