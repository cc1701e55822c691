"""How much larger a system's error is on groups of people than on people in none of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.demo.compare import find_members
from pipeline.demo.scene_truth import Group


@dataclass(frozen=True)
class Gap:
    """Mean errors of a group's people, and of the people who are in none of the groups."""

    group: Group
    n: int
    error: float
    others_error: float

    @property
    def size(self) -> float:
        """The difference of the two errors."""
        return self.error - self.others_error


def measure_gaps(
    table: pl.DataFrame, errors: npt.NDArray[np.float64], groups: Sequence[Group]
) -> list[Gap]:
    """Return the gap of each group, counting only people who are in no other of the groups.

    table: true values, one row a person; errors: (n,) of the same rows.
    """
    members = np.array([_find(table, group) for group in groups]).reshape(len(groups), -1)
    count = members.sum(axis=0)  # (n,)
    others = errors[count == 0]
    gaps = []
    for group, own in zip(groups, members, strict=True):
        alone = errors[own & (count == 1)]
        gaps.append(Gap(group, len(alone), _mean(alone), _mean(others)))
    return gaps


def _find(table: pl.DataFrame, group: Group) -> npt.NDArray[np.bool_]:
    predicates = [{"attribute": attribute, "value": value} for attribute, value in group]
    return find_members(table, predicates)


def _mean(errors: npt.NDArray[np.float64]) -> float:
    return float(errors.mean()) if len(errors) else float("nan")
