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
    the same groups are a stratum; of a combination with fewer than 30 rows each row counts for
    the one of its groups that has the largest mean error.
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
    means = np.array([errors[mask].mean() if mask.any() else 0.0 for mask in groups])
    worst = np.where(combos, means, -1.0).argmax(axis=1)  # (c,) of each combination
    small = (np.bincount(code) < LEAST_STRATUM) & combos.any(axis=1)
    key = np.where(small, len(combos) + worst, np.arange(len(combos)))
    strata: Ints = np.unique(key[code], return_inverse=True)[1].astype(np.int64)
    return strata
