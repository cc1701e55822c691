"""Whether the labels of an attribute are right as often for each group of samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.statistics.difference_test import compare_estimates
from pipeline.statistics.estimates import estimate_mean, number_clusters, subtract
from pipeline.statistics.p_values import adjust_holm
from pipeline.vocabulary import INSUFFICIENT, LEVEL

LEANS = "leans"
NO_DIFFERENCE = "no large difference"
NOT_MEASURED = "not measured"
LEAST = 0.03  # a difference of shares up to this is none that counts
_LEAST_ROWS = 30  # samples of a group and of the others
CLEAR = 0.1  # an interval that reaches beyond it leaves open whether a group is worse off


@dataclass(frozen=True)
class GroupBias:
    """The group whose labels differ most from those of the others.

    difference: of the shares right, negative where the group is worse off. group: attribute and
    value in words; None where nothing was compared.
    """

    verdict: str
    group: str | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def compare_accuracy(
    right: Floats, groupings: Mapping[str, pl.Series], clusters: pl.Series
) -> GroupBias:
    """Compare the share of right labels of each group with that of all other samples.

    right: (n,) 1 where the label is the true value. groupings: attribute -> (n,) group or null.
    clusters: (n,) the image. Groups with less than 30 samples on a side are left out; of two groups
    one is compared. "leans": p < 0.05 of a difference beyond LEAST to either side, by the
    cluster-robust t test, Holm over all groups of all groupings; then the group is the one with
    the largest of these differences.
    "no large difference": every interval lies within CLEAR. Else the evidence is insufficient.
    """
    values = number_clusters(right, clusters)
    found: list[tuple[str, float, float, float, float]] = []
    for name, groups in groupings.items():
        for group in _list_groups(groups):
            inside = (groups == group).fill_null(value=False).to_numpy()
            outside = groups.is_not_null().to_numpy() & ~inside
            if min(inside.sum(), outside.sum()) < _LEAST_ROWS:
                continue
            own, other = (estimate_mean(values, np.flatnonzero(one)) for one in (inside, outside))
            difference, (low, high) = subtract(own, other)
            found.append(
                (
                    f"{name} = {group}",
                    difference,
                    low,
                    high,
                    compare_estimates(own, other, beyond=LEAST),
                )
            )
    if not found:
        return GroupBias(NOT_MEASURED)
    holm = adjust_holm(np.array([one[4] for one in found]))
    shown = [one[:4] for one, p in zip(found, holm, strict=True) if p < LEVEL]
    if shown:
        return GroupBias(LEANS, *max(shown, key=lambda one: abs(one[1])))
    clear = all(low >= -CLEAR and high <= CLEAR for _, _, low, high, _ in found)
    largest = max(found, key=lambda one: abs(one[1]))[:4]
    return GroupBias(NO_DIFFERENCE if clear else INSUFFICIENT, *largest)


def _list_groups(groups: pl.Series) -> Sequence[str]:
    values: list[str] = groups.drop_nulls().unique().sort().to_list()
    return values[:1] if len(values) == 2 else values
