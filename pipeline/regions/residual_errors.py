"""Residual errors: what is left of errors once groups of rows have explained their part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints, Mask

LEAST_STRATUM = 30  # rows of a combination of groups that gets a mean error of its own


@dataclass(frozen=True)
class Residuals:
    """Errors of n rows less the mean error of their strata.

    values: (n,) they sum to 0 in every stratum. expected: (n,) the mean of each row's stratum.
    strata: (n,) numbers from 0.
    """

    values: Floats
    expected: Floats
    strata: Ints

    @property
    def variance(self) -> float:
        """Mean of the squared residual errors."""
        return float((self.values**2).mean())


def take_out(errors: Floats, groups: Sequence[Mask]) -> Residuals:
    """Take the mean error of every combination of groups out of the errors.

    errors: (n,). groups: (n,) masks each, such as the rows of a finding; they may overlap. Rows in
    the same groups are a stratum. Fewer than 30 join the most similar stratum of more, if possible
    one in the group of theirs that has the largest mean error.
    """
    strata = _combine(errors, groups)
    counts = np.bincount(strata)
    expected = (np.bincount(strata, errors) / counts)[strata]
    return Residuals(errors - expected, expected, strata)


def _combine(errors: Floats, groups: Sequence[Mask]) -> Ints:
    if not groups:
        return np.zeros(len(errors), np.int64)
    members = np.stack(groups, axis=1)  # (n, g)
    combos, code = np.unique(members, axis=0, return_inverse=True)
    code = code.ravel()
    counts = np.bincount(code)
    means = np.array([errors[mask].mean() if mask.any() else 0.0 for mask in groups])
    large = np.flatnonzero(counts >= LEAST_STRATUM)
    target = np.arange(len(combos))
    for combo in np.flatnonzero(counts < LEAST_STRATUM) if len(large) else ():
        own = combos[combo]
        missed = ~combos[large, np.where(own, means, -1.0).argmax()] & own.any()
        differing = (combos[large] != own).sum(axis=1)
        target[combo] = large[np.lexsort((-counts[large], differing, missed))[0]]
    strata: Ints = np.unique(target[code], return_inverse=True)[1].astype(np.int64)
    return strata
