"""The labels of a table beside what is known to be true of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Mask
from pipeline.slices.soft_labels.membership import SoftLabels
from pipeline.vocabulary import UNKNOWN

Predicates = Sequence[Mapping[str, str]]
NOT_GIVEN = "not given"  # "unknown" where no model made the labels: no true value is hidden there


@dataclass(frozen=True, eq=False)
class KnownLabels:
    """n rows with their errors.

    labels, truth, inclusion: one column an attribute: text, text or null, and the probability with
    which the true value is known, or null. Labels that no model made are their own truth, with
    NOT_GIVEN for "unknown". modelled: the attributes whose labels a model made. errors: (n,)
    losses. cluster_ids: (n,) the image of each row. orders: the values of ordered attributes,
    lowest first. weighted: whether the rows count differently, so that nothing can be corrected.
    probabilities: of the true values of attributes, by probes, NaN where a row has no vector.
    """

    labels: pl.DataFrame
    truth: pl.DataFrame
    inclusion: pl.DataFrame
    modelled: frozenset[str]
    errors: Floats
    cluster_ids: pl.Series
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    weighted: bool = False
    probabilities: Mapping[str, SoftLabels] = field(default_factory=dict)

    @property
    def has_truth(self) -> bool:
        """Whether anything is known of labels that a model made, with which to correct."""
        return not self.weighted and any(
            len(self.truth[name].drop_nulls()) for name in self.modelled
        )

    def select(self, rows: Mask) -> "KnownLabels":
        """Return some of the rows. rows: (n,) which."""
        chosen = pl.Series(rows)
        numbers = np.flatnonzero(rows)
        return replace(
            self,
            labels=self.labels.filter(chosen),
            truth=self.truth.filter(chosen),
            inclusion=self.inclusion.filter(chosen),
            errors=np.asarray(self.errors)[rows],
            cluster_ids=self.cluster_ids.filter(chosen),
            probabilities={name: one.select(numbers) for name, one in self.probabilities.items()},
        )

    def name_here(self, predicates: Predicates) -> list[dict[str, str]]:
        """Return predicates with the values that they have in this table."""
        return [
            {**one, "value": NOT_GIVEN}
            if one["value"] == UNKNOWN and one["attribute"] not in self.modelled
            else {**one}
            for one in predicates
        ]

    def concerns(self, predicates: Predicates) -> bool:
        """Return whether a model made labels of one of these attributes."""
        return any(one["attribute"] in self.modelled for one in predicates)
