"""What is measured of a group and its complement: means over rows, images, or a part of them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.arrays import Ints, Mask
from pipeline.fairness.groups import Group
from pipeline.statistics.estimates import Estimate, Values, estimate_mean

Pair = tuple[Estimate, Estimate]


class Metric(Protocol):
    """One number of any set of samples."""

    @property
    def name(self) -> str:
        """What the metric is called in the table."""
        ...

    @property
    def lower_is_better(self) -> bool:
        """Which end is the best."""
        ...

    @property
    def overall(self) -> float:
        """The number of all samples, also of those in no group."""
        ...

    def measure(self, group: Group) -> Pair:
        """Estimate it for a group and its complement."""
        ...


@dataclass(frozen=True)
class RowMean:
    """The mean over those rows for which it is defined."""

    name: str
    lower_is_better: bool
    values: Values
    defined: Mask | None = None  # (n,) rows that it is over; None: all

    @property
    def overall(self) -> float:
        """The mean of all rows."""
        return estimate_mean(self.values, self._keep(np.arange(len(self.values.numbers)))).value

    def measure(self, group: Group) -> Pair:
        """Estimate the means of a group and its complement."""
        return (
            estimate_mean(self.values, self._keep(group.members)),
            estimate_mean(self.values, self._keep(group.complement)),
        )

    def _keep(self, rows: Ints) -> Ints:
        return rows if self.defined is None else rows[self.defined[rows]]


@dataclass(frozen=True)
class ImageMean:
    """The mean over images that show a member of the group; its complement is all other images."""

    name: str
    lower_is_better: bool
    values: Values  # one number of each image, all independent
    images: Ints  # (n,) image of each row

    @property
    def overall(self) -> float:
        """The mean of all images."""
        return estimate_mean(self.values, np.unique(self.images)).value

    def measure(self, group: Group) -> Pair:
        """Estimate the means of the images with a member and of those known to have none."""
        own = np.zeros(len(self.values.numbers), np.bool_)
        own[self.images[group.members]] = True
        # An image with a row in neither set may show a member: it is in neither set too.
        unclear = np.ones(len(self.images), np.bool_)
        unclear[group.members] = unclear[group.complement] = False
        other = np.zeros_like(own)
        other[self.images[group.complement]] = True
        other[self.images[unclear]] = False
        return (
            estimate_mean(self.values, np.flatnonzero(own)),
            estimate_mean(self.values, np.flatnonzero(other & ~own)),
        )
