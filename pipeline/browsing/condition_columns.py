"""What a condition may name: columns of samples with their values, numbers or text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Literal

from pipeline.predicates import name_run


@dataclass(frozen=True)
class ConditionColumn:
    """One name of a condition.

    column: of the frame of samples. kind: "value" of an attribute, a "number", or "text". values:
    those that a value column may have. order: the values of an ordered attribute, lowest first, of
    which a condition may also name a run of adjacent ones.
    """

    column: str
    kind: Literal["value", "number", "text"]
    values: tuple[str, ...] = ()
    order: tuple[str, ...] = field(default=())

    @cached_property
    def allowed(self) -> Mapping[str, tuple[str, ...]]:
        """Each value, and each run as findings write it -> the values that it stands for."""
        last = len(self.order) - 1
        runs = {
            name_run(self.order, first, end): self.order[first : end + 1]
            for first, end in combinations(range(len(self.order)), 2)
            if (first, end) != (0, last)
        }
        return {**runs, **{value: (value,) for value in self.values}}

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The keys of `allowed`, the longest first: the one that fits a text best comes first."""
        return tuple(sorted(self.allowed, key=lambda text: (-len(text), text)))


Columns = Mapping[str, ConditionColumn]
