"""What is measured of a group and of its rest: means over rows, images, or a part of them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.fairness.estimates import Estimate, Values, estimate_mean
from pipeline.fairness.groups import Group

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
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
        """Estimate it for a group and for its rest."""
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
        """Estimate the means of a group and of its rest."""
        return (
            estimate_mean(self.values, self._keep(group.inside)),
            estimate_mean(self.values, self._keep(group.outside)),
        )

    def _keep(self, rows: Ints) -> Ints:
        return rows if self.defined is None else rows[self.defined[rows]]


@dataclass(frozen=True)
class ImageMean:
    """The mean over the images that show a member of the group; the rest are the other images."""

    name: str
    lower_is_better: bool
    values: Values  # one number of each image; an image stands alone
    images: Ints  # (n,) image of each row

    @property
    def overall(self) -> float:
        """The mean of all images."""
        return estimate_mean(self.values, np.unique(self.images)).value

    def measure(self, group: Group) -> Pair:
        """Estimate the means of the images with a member and of those known to have none."""
        own = np.zeros(len(self.values.numbers), np.bool_)
        own[self.images[group.inside]] = True
        # An image with a row that is on neither side may show a member: it is on neither side too.
        unclear = np.ones(len(self.images), np.bool_)
        unclear[group.inside] = unclear[group.outside] = False
        other = np.zeros_like(own)
        other[self.images[group.outside]] = True
        other[self.images[unclear]] = False
        return (
            estimate_mean(self.values, np.flatnonzero(own)),
            estimate_mean(self.values, np.flatnonzero(other & ~own)),
        )
