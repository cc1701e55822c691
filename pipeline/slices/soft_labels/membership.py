"""How probably rows belong to a slice: the product of the probabilities of its values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints

Slice = Sequence[Mapping[str, str]]


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """Probabilities of the k true values of one attribute.

    probabilities: (n, k), rows of NaN where none are known; a row adds up to at most 1.
    """

    values: tuple[str, ...]
    probabilities: Floats

    def select(self, rows: Ints) -> "SoftLabels":
        """Return some of the rows. rows: (m,) their numbers."""
        return SoftLabels(self.values, self.probabilities[rows])


def multiply(soft: Mapping[str, SoftLabels], predicates: Slice) -> Floats:
    """Return (n,) the probability of belonging to a slice.

    Given the vector of a sample its values are taken to be independent of each other, so that the
    product is their joint probability.
    """
    factors = [soft[one["attribute"]] for one in predicates]
    columns = [
        own.probabilities[:, own.values.index(one["value"])]
        for own, one in zip(factors, predicates, strict=True)
    ]
    return np.asarray(np.prod(columns, axis=0), np.float64)
