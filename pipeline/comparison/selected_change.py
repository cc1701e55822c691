"""The change of a gap that was picked because it was large: what is left of it beyond the picking.

A finding of one audit has a large gap there partly by chance, so the same slice seems to get better
in any other audit, and a new finding seems to have got worse. Given that the gap had to exceed a
threshold c to be picked, the change D is normal but cut off: D is independent of

    S = before + k D,  k = (variance_before - covariance) / variance of D,

so before = S - k D > c bounds D, likewise after = S + (1 - k) D > c. Tests and intervals are those
of the normal distribution cut off there (Lee, Sun, Sun and Taylor, Annals of Statistics 44, 2016).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from pipeline.comparison.gap_moments import Moments

_REACH = 30.0  # standard errors within which an end of an interval is sought


@dataclass(frozen=True)
class Change:
    """A change with its 95 % interval and two-sided p, given how its slice was picked."""

    value: float
    low: float
    high: float
    p: float


def weigh_change(
    gap: Moments, *, least_before: float | None = None, least_after: float | None = None
) -> Change:
    """Test whether a gap changed, and bound the change.

    least_before, least_after: the gap from which the slice would be picked in that audit; None
    where it was not picked by it. A gap picked with less counts as picked at just what it has. The
    thresholds being known roughly alone, picking never makes a change more certain: each end and
    each tail is the more cautious one of those with and without it.
    """
    spread = math.sqrt(gap.variance)
    if spread == 0:
        return Change(gap.change, gap.change, gap.change, 1.0 if gap.change == 0 else 0.0)
    cuts = [(-math.inf, math.inf)]
    k = (gap.variance_before - gap.covariance) / gap.variance
    if least_before is not None:
        cuts.append(_cut_off(gap.change, gap.before, least_before, slope=-k))
    if least_after is not None:
        cuts.append(_cut_off(gap.change, gap.after, least_after, slope=1 - k))
    below = [_cumulate(gap.change, 0.0, spread, cut) for cut in cuts]
    ends = [_bound(gap.change, spread, cut) for cut in cuts]
    return Change(
        value=gap.change,
        low=min(low for low, _ in ends),
        high=max(high for _, high in ends),
        p=min(1.0, 2 * min(max(below), 1 - min(below))),
    )


_Cut = tuple[float, float]


def _cut_off(change: float, value: float, least: float, *, slope: float) -> _Cut:
    """Return between which values the change can be, as `value` had to exceed `least`.

    slope: how much `value` grows with the change.
    """
    if slope == 0:
        return -math.inf, math.inf
    bound = change - (value - min(least, value)) / slope
    return (bound, math.inf) if slope > 0 else (-math.inf, bound)


def _bound(change: float, spread: float, cut: _Cut) -> tuple[float, float]:
    """Return the 95 % interval of the true change."""
    ends = [
        _solve(lambda true: _cumulate(change, true, spread, cut) - level, change, spread)  # noqa: B023 - called at once
        for level in (0.975, 0.025)
    ]
    return ends[0], ends[1]


def _cumulate(value: float, true: float, spread: float, cut: _Cut) -> float:
    """Return P(change <= value) of a normal distribution around `true` inside `cut`."""
    ends = [(end - true) / spread for end in (cut[0], value, cut[1])]
    if ends[0] > 0:  # the tail on the other side has the smaller numbers, which keep their digits
        return 1 - _share(-ends[2], -ends[1], -ends[0])
    return _share(ends[0], ends[1], ends[2])


def _share(low: float, value: float, high: float) -> float:
    """Return (P(value) - P(low)) / (P(high) - P(low)) of the standard normal distribution."""
    logs = special.log_ndtr(np.array([low, value, high]))
    if logs[2] == logs[0]:
        return 0.5
    with np.errstate(divide="ignore"):
        part = logs[1] + np.log1p(-np.exp(logs[0] - logs[1])) if logs[1] > logs[0] else -np.inf
        whole = logs[2] + np.log1p(-np.exp(logs[0] - logs[2]))
    return float(min(1.0, np.exp(part - whole)))


def _solve(equation: Callable[[float], float], value: float, spread: float) -> float:
    """Return where a falling function crosses 0, infinite where it does so out of reach."""
    ends = (value - _REACH * spread, value + _REACH * spread)
    if equation(ends[0]) < 0:
        return -math.inf
    if equation(ends[1]) > 0:
        return math.inf
    return float(optimize.brentq(equation, *ends, xtol=1e-9))
