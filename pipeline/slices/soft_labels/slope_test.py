"""Whether errors rise with the probability of belonging to a slice."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import gammaincc, ndtr

from pipeline.arrays import Floats, Ints

_ALIKE = 1e-6  # share of a membership that covariates leave; less of it is nothing to test
_SYMMETRIC = 1e-6  # a skewness below which the normal distribution serves
_LEAST_VARIANCE = 0.1  # of the mean variance, where the fit to a row is smaller


@dataclass(frozen=True)
class Slopes:
    """Of k slices: z, and the one-sided p-value of errors that do not rise with membership."""

    z: Floats
    p: Floats


def measure_slopes(
    memberships: Floats, errors: Floats, covariates: Floats, *, clusters: Ints | None
) -> Slopes:
    """Test the slope of each membership in a regression of errors on it and covariates.

    memberships: (n, k). errors: (n,). covariates: (n, m), a column of ones among them. clusters:
    (n,) numbers, rows of equal ones may err together; None where all rows are apart. The score
    test of least squares: with what covariates leave of membership and errors, u = sum of their
    products, its variance the sum of squared memberships times the variance of an error, which may
    change with the covariates, times the design effect of clusters where that is above 1. Few rows
    with a membership and rare errors make u skewed; p is of the gamma distribution with its
    skewness (Pearson's type III). A membership that the covariates explain has a p-value of 1.
    """
    basis, _ = np.linalg.qr(covariates)
    left = memberships - basis @ (basis.T @ memberships)
    rest = errors - basis @ (basis.T @ errors)
    squares = rest**2
    variances = np.maximum(basis @ (basis.T @ squares), _LEAST_VARIANCE * squares.mean())
    products = left * rest[:, None]
    size = np.einsum("nk,nk->k", left, left)
    variance = np.einsum("nk,nk,n->k", left, left, variances)
    tested = (size > _ALIKE * np.einsum("nk,nk->k", memberships, memberships)) & (variance > 0)
    safe = np.where(tested, variance, 1.0)
    design = _measure_design(products, clusters)
    z = np.where(tested, products.sum(axis=0) / np.sqrt(safe * design), 0.0)
    cubes = (left**3).sum(axis=0) * (rest**3).mean()
    skewness = cubes / safe**1.5 * np.sqrt(design)
    return Slopes(z, np.where(tested, _find_tail(z, skewness), 1.0))


def _measure_design(products: Floats, clusters: Ints | None) -> Floats:
    """Return (k,) by how much clusters raise the variance of the sums of products, at least 1."""
    if clusters is None:
        return np.ones(products.shape[1])
    n = len(clusters)
    which = sparse.csr_matrix((np.ones(n), (clusters, np.arange(n))))
    single = np.maximum((products**2).sum(axis=0), np.finfo(float).tiny)
    return np.asarray(np.maximum(((which @ products) ** 2).sum(axis=0) / single, 1.0), np.float64)


def _find_tail(z: Floats, skewness: Floats) -> Floats:
    """Return P(Z >= z) of mean 0, variance 1 and the skewness where it is above 0, else normal."""
    shape = 4 / np.maximum(skewness, _SYMMETRIC) ** 2
    at = np.maximum(shape + z * np.sqrt(shape), 0.0)
    skewed = skewness > _SYMMETRIC**0.5
    tail = np.where(skewed, gammaincc(np.where(skewed, shape, 1.0), at), ndtr(-z))
    return np.asarray(tail, np.float64)
