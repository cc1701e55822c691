"""Slices in which errors rise with the probability of belonging to them, one given the others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.slices.soft_labels.membership import SoftLabels, multiply
from pipeline.slices.soft_labels.slope_test import Slopes, measure_slopes
from pipeline.statistics.p_values import adjust_bh
from pipeline.vocabulary import LEVEL

_AT_ONCE = 32  # memberships; bounds the memory
_PROMISING = 0.2  # p-value, given nothing else, of a slice that is tried in later steps
NARROWER = 0.01  # p-value of a pair, given one of its values, to be named instead of that value

Slice = list[dict[str, str]]


@dataclass(frozen=True)
class ProbableSlice:
    """A slice, and the evidence for it given all slices before it: z, p, and q over all slices."""

    predicates: Slice
    z: float
    p: float
    q: float


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is regressed: errors (n,) on memberships and on given covariates (n, m)."""

    soft: Mapping[str, SoftLabels]
    errors: Floats
    given: Floats
    clusters: Ints | None

    def test(self, slices: Sequence[Slice], others: Sequence[Slice]) -> Slopes:
        """Test slices given others."""
        covariates = np.column_stack([self.given, *(multiply(self.soft, one) for one in others)])
        blocks = [slices[at : at + _AT_ONCE] for at in range(0, len(slices), _AT_ONCE)]
        found = [
            measure_slopes(
                np.column_stack([multiply(self.soft, one) for one in block]),
                self.errors,
                covariates,
                clusters=self.clusters,
            )
            for block in blocks
        ]
        return Slopes(
            np.concatenate([one.z for one in found]), np.concatenate([one.p for one in found])
        )


def choose_slices(
    soft: Mapping[str, SoftLabels],
    errors: Floats,
    slices: Sequence[Slice],
    *,
    given: Floats,
    clusters: Ints | None,
    most: int,
) -> list[ProbableSlice]:
    """Choose at most `most` of the slices, step by step.

    Where the probabilities of true values given a sample's vector are right, and an error has
    nothing to do with the vector given these values, the expected error is linear in membership.
    soft: of n rows, none NaN. errors: (n,). given: (n, m) covariates, such as membership of what is
    set aside. clusters: (n,) numbers of images, None where rows are apart. Each step takes the
    slice of least p given those taken before, while its q < 0.05 (Benjamini and Hochberg 1995, over
    all slices): errors that depend on nothing give a slice in at most 5 % of tables. A pair must
    say more than each of its values does alone, else the value is taken. Slices that those
    taken later explain are dropped.
    """
    rows = _Rows(soft, errors, np.column_stack([np.ones(len(errors)), given]), clusters)
    left: list[Slice] = [list(one) for one in slices]
    chosen: list[ProbableSlice] = []
    for step in range(most):
        if not left:
            break
        taken = [one.predicates for one in chosen]
        slopes = rows.test(left, taken)
        best = _take_best(rows, left, taken, slopes, count=len(slices))
        if best is None:
            break
        chosen = [*_drop_explained(rows, chosen, best), best]
        keep = slopes.p < _PROMISING if step == 0 else np.ones(len(left), np.bool_)
        left = [
            one for one, kept in zip(left, keep, strict=True) if kept and one != best.predicates
        ]
    return chosen


def list_slices(
    values: Mapping[str, Sequence[str]],
    *,
    exclusive: Sequence[Sequence[str]] = (),
    max_level: int = 2,
) -> Iterator[Slice]:
    """List conjunctions of up to max_level values, of attributes that may be combined."""
    apart = [set(group) for group in exclusive]
    singles = [(name, value) for name in sorted(values) for value in values[name]]
    for level in range(1, max_level + 1):
        for group in combinations(singles, level):
            names = {name for name, _ in group}
            if len(names) == level and not any(len(names & one) > 1 for one in apart):
                yield [{"attribute": name, "value": value} for name, value in group]


def name_slice(predicates: Sequence[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    """Return a slice as a set of attributes with their values."""
    return frozenset((one["attribute"], one["value"]) for one in predicates)


def _take_best(
    rows: _Rows, left: Sequence[Slice], taken: Sequence[Slice], slopes: Slopes, *, count: int
) -> ProbableSlice | None:
    """Return the slice of least p, or the value in it that says as much; None above 0.05."""
    padded = np.ones(count)
    padded[: len(left)] = slopes.p
    q = adjust_bh(padded)[: len(left)]
    best = int(np.lexsort((-slopes.z, slopes.p))[0])
    if q[best] >= LEVEL:
        return None
    own = name_slice(left[best])
    wider = [
        at
        for at, other in enumerate(left)
        if q[at] < LEVEL
        and name_slice(other) < own
        and rows.test([left[best]], [*taken, other]).p[0] >= NARROWER
    ]
    if wider:
        best = max(wider, key=lambda at: slopes.z[at])
    return ProbableSlice(left[best], float(slopes.z[best]), float(slopes.p[best]), float(q[best]))


def _drop_explained(
    rows: _Rows, chosen: Sequence[ProbableSlice], new: ProbableSlice
) -> list[ProbableSlice]:
    """Return the chosen slices for which there is evidence given the others and a new one."""
    kept = list(chosen)
    for one in chosen:
        others = [other.predicates for other in (*kept, new) if other is not one]
        if rows.test([one.predicates], others).p[0] >= LEVEL:
            kept.remove(one)
    return kept
