"""The options of a slice search and of an audit, each spelled, defaulted and checked here alone.

Imports nothing heavy, so that the command line can show the defaults without loading numba.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, get_args

from pipeline.exceptions import SearchError

Engine = Literal["auto", "cube", "depth-first", "sliceline"]
Backend = Literal["auto", "numba", "numpy"]
Direction = Literal["worse", "better"]
Condition = str | tuple[str, str]  # an attribute, or an attribute and its value
Options = TypeVar("Options", bound="SearchOptions")


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """Which slices are counted, how they are scored, and by which engine.

    alpha: weight of the error against the size in the score, above 0 and at most 1. max_level:
    predicates of a slice at most, 1 to 4. min_support: a share below 1, else a count, of rows (or
    weights) that a slice needs. top: slices returned at most; of an audit, findings. must,
    must_not: conditions that every slice, or no slice, holds. exclude_unknown: whether no slice may
    hold the value "unknown". ordered: the values of ordered attributes, lowest first: runs of
    adjacent ones are predicates too. exclusive: sets of attributes of which a slice holds at most
    one, such as two binnings of one measure. direction: whether slices with larger or smaller
    errors are searched. memory: bytes that counting may take.

    >>> SearchOptions(max_level=2, must=["night"]).max_level
    2
    """

    alpha: float = 0.95
    max_level: int = 3
    min_support: float = 0.01
    top: int | None = None
    engine: Engine = "auto"
    must: Sequence[Condition] = ()
    must_not: Sequence[Condition] = ()
    exclude_unknown: bool = False
    ordered: Mapping[str, Sequence[str]] = field(default_factory=dict)
    exclusive: Sequence[Sequence[str]] = ()
    direction: Direction = "worse"
    memory: float = 2e9
    backend: Backend = "auto"

    def list_problems(self) -> list[str]:
        """Return what is wrong with these options whatever the table, one sentence each."""
        problems = []
        if not 0 < self.alpha <= 1:
            problems.append(f"alpha is {self.alpha}, expected more than 0 and at most 1")
        if self.max_level not in (1, 2, 3, 4):
            problems.append(f"max_level is {self.max_level}, expected 1, 2, 3 or 4")
        if not 0 < self.min_support < math.inf:
            problems.append(
                f"min_support is {self.min_support}, expected a share below 1 or a count"
            )
        if self.top is not None and self.top < 1:
            problems.append(f"top is {self.top}, expected at least 1")
        for name, choices in (("engine", Engine), ("direction", Direction), ("backend", Backend)):
            if getattr(self, name) not in get_args(choices):
                known = ", ".join(get_args(choices))
                problems.append(f"{name} is {getattr(self, name)!r}, expected one of {known}")
        return problems

    def check(self, values: Mapping[str, Sequence[str]]) -> None:
        """Raise SearchError listing every option that is invalid for a table.

        values: the values of each attribute of the table, by its name.
        """
        problems = self.list_problems()
        for condition in (*self.must, *self.must_not):
            problems += _check_condition(condition, values)
        for name in (name for one in self.exclusive for name in one if name not in values):
            known = ", ".join(values)
            problems.append(f"exclusive names the attribute {name!r}; the table has {known}")
        if problems:
            raise SearchError.from_problems("slice search", problems)


@dataclass(frozen=True, kw_only=True)
class AuditOptions(SearchOptions):
    """The options of a search, and how its findings are tested.

    confirm: share of the clusters (or rows) held out to confirm findings. seed: of that split and
    of the permutations. permutations: for p_family; 0 takes Bonferroni's over all possible slices
    instead. show_insufficient: slices to show below the findings without enough evidence.

    >>> AuditOptions(confirm=0.5, max_level=2).confirm
    0.5
    """

    confirm: float = 0.0
    seed: int = 0
    permutations: int = 1000
    show_insufficient: int = 0

    def list_problems(self) -> list[str]:
        """Return what is wrong with these options whatever the table, one sentence each."""
        problems = []
        if not 0 <= self.confirm < 1:
            problems.append(
                f"confirm is {self.confirm}, expected a share of at least 0 and below 1"
            )
        counts = {
            "permutations": self.permutations,
            "show_insufficient": self.show_insufficient,
        }
        problems += [
            f"{name} is {count}, expected 0 or more" for name, count in counts.items() if count < 0
        ]
        return problems + super().list_problems()


def count_support(min_support: float, rows: int) -> float:
    """Return the size of the smallest slice: below 1 `min_support` is a share of the rows."""
    return min_support * rows if min_support < 1 else min_support


def merge_options(options: Options, changes: Mapping[str, Any]) -> Options:
    """Return `options` with the fields of `changes` replaced. Raises TypeError for other names."""
    return replace(options, **changes)


def _check_condition(condition: Condition, values: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what is wrong with a condition of must or must_not."""
    name, *value = (condition,) if isinstance(condition, str) else condition
    if name not in values:
        known = ", ".join(values)
        return [f"must and must_not name the attribute {name!r}; the table has {known}"]
    if isinstance(condition, str) or (isinstance(condition, tuple) and len(condition) == 2):
        if not value or value[0] in values[name]:
            return []
        shown = ", ".join(values[name][:10]) + (", ..." if len(values[name]) > 10 else "")
        return [f"must and must_not name {name} = {value[0]!r}; its values are {shown}"]
    return [f"{condition!r}: expected an attribute or a tuple of an attribute and its value"]
