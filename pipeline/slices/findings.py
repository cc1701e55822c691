"""Picks -> the `findings` table: intervals, held-out numbers, states."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.slices.audit_rows import AuditRows
from pipeline.slices.evidence.difference_interval import compute_interval
from pipeline.slices.evidence.discovery import Discovery, compare_rows, member_finder
from pipeline.slices.evidence.distinct import Pick
from pipeline.slices.evidence.max_t import FamilyWise
from pipeline.slices.family import Family, name_slices, rest_error
from pipeline.statistics.p_values import adjust_holm
from pipeline.tables import PREDICATES, WEAKNESSES, check
from pipeline.vocabulary import CONFIRMED, INSUFFICIENT, LEVEL, LIKELY

Mask = NDArray[np.bool_]
Row = dict[str, Any]


@dataclass(frozen=True)
class Reported:
    """The slices to report: those picked, then those shown without enough evidence."""

    picks: list[Pick]
    slices: NDArray[np.int32]  # (r, level), the picks first
    places: NDArray[np.int64]  # (r,) their rows in the full family
    family_wise: FamilyWise | None  # of all r


def tabulate_findings(
    discovery: Discovery,
    family: Family,
    reported: Reported,
    holdout: AuditRows | None,
    *,
    seed: int,
) -> pl.DataFrame:
    """Return the WEAKNESSES table, best first.

    Numbers without `holdout_` are of the discovery rows and, their slices having been chosen for
    them, optimistic. holdout_p is the larger of two: the slice against all held-out rows outside
    it, and, without the rows of earlier findings, against the others left.
    """
    rows = [
        _describe(discovery, family, reported, place, seed=seed)
        for place in range(len(reported.places))
    ]
    names = name_slices(family.layout, reported.slices)
    _share_excess(discovery, reported.picks, rows)
    if holdout is not None:
        pairs = [[(p["attribute"], p["value"]) for p in slice_] for slice_ in names.to_list()]
        _hold_out(discovery, holdout, pairs, rows, found=len(reported.picks), seed=seed)
    _set_states(rows, found=len(reported.picks), held_out=holdout is not None)
    frame = pl.DataFrame(
        {
            name: pl.Series([row.get(name) for row in rows], dtype=dtype)
            for name, dtype in _PLAIN.items()
        }
    ).with_columns(names, _fold(family, reported, len(rows)))
    return check(frame, WEAKNESSES, table="findings")


_PLAIN = {name: dtype for name, dtype in WEAKNESSES.items() if name not in ("predicates", "folded")}


def _describe(
    discovery: Discovery, family: Family, reported: Reported, place: int, *, seed: int
) -> Row:
    """Return a slice's numbers on all discovery rows."""
    picks = reported.picks
    one = family.take(reported.places[place : place + 1])
    inside = (
        picks[place].members
        if place < len(picks)
        else discovery.members(tuple(int(i) for i in reported.slices[place] if i >= 0))
    )
    error = float(one.sums.total[0] / one.sums.weight[0])
    rest = float(rest_error(family.total, one.sums)[0])
    low, high = compute_interval(
        discovery.rows.losses, inside, groups=discovery.rows.groups, seed=seed
    )
    wise = reported.family_wise
    return {
        "rank": place + 1,
        "level": int(one.level[0]),
        "n": int(one.sums.n[0]),
        "weight": float(one.sums.weight[0]),
        "error": error,
        "rest_error": _known(rest),
        "difference": _known(error - rest),
        "ci_low": _known(low),
        "ci_high": _known(high),
        "lift": _known(error / rest) if rest > 0 else None,
        "score": float(one.score[0]),
        "p": float(one.p[0]),
        "q": float(one.q[0]),
        "q_residual": picks[place].q_residual if place < len(picks) else None,
        "p_family": None if wise is None else float(wise.p[place]),
        "folded_count": picks[place].folded_count if place < len(picks) else 0,
    }


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _share_excess(discovery: Discovery, picks: list[Pick], rows: list[Row]) -> None:
    """Set each finding's share of the error above that of the rows which no finding covers."""
    losses = discovery.rows.losses
    weights = np.ones(len(losses.errors)) if losses.weights is None else losses.weights
    left = np.ones(len(losses.errors), np.bool_)
    for pick in picks:
        left &= ~pick.members
    if not left.any():
        return
    base = float((weights * losses.errors)[left].sum() / weights[left].sum())
    excess = weights * (losses.errors - base)
    total = float(excess[~left].sum())
    for pick, row in zip(picks, rows, strict=False):
        row["explained_share"] = float(excess[pick.new].sum()) / total if total else None


def _hold_out(
    discovery: Discovery, holdout: AuditRows, pairs: list[list[tuple[str, str]]], rows: list[Row],
    *, found: int, seed: int,
) -> None:  # fmt: skip
    """Set the held-out numbers of every reported slice."""
    find = member_finder(holdout)
    losses, groups = holdout.losses, holdout.groups
    weights = np.ones(len(holdout)) if losses.weights is None else losses.weights
    direction = discovery.search.options.direction
    alive = np.ones(len(holdout), np.bool_)
    for place, (predicates, row) in enumerate(zip(pairs, rows, strict=True)):
        inside = find(predicates)
        row["holdout_n"] = int(inside.sum())
        for name, part in (("holdout_error", inside), ("holdout_rest_error", ~inside)):
            if part.any():
                row[name] = float(np.average(losses.errors[part], weights=weights[part]))
        low, high = compute_interval(losses, inside, groups=groups, seed=seed)
        row["holdout_ci_low"], row["holdout_ci_high"] = _known(low), _known(high)
        whole = compare_rows(losses, groups, inside, ~inside, direction=direction)
        beyond = compare_rows(losses, groups, inside & alive, ~inside & alive, direction=direction)
        row["holdout_p"] = max(whole, beyond)
        if place < found:
            alive &= ~inside


def _set_states(rows: list[Row], *, found: int, held_out: bool) -> None:
    """Confirmed, likely, or insufficient evidence: DESIGN.md's definitions."""
    picked = rows[:found]
    holm = (
        adjust_holm(np.array([row["holdout_p"] for row in picked])) if held_out and picked else None
    )
    for place, row in enumerate(picked):
        p = row["p_family"] if holm is None else holm[place]
        row["state"] = CONFIRMED if p is not None and p < LEVEL else LIKELY
    for row in rows[found:]:
        row["state"] = INSUFFICIENT


def _fold(family: Family, reported: Reported, count: int) -> pl.Series:
    """Name the slices that each finding explains."""
    folded = [name_slices(family.layout, pick.folded).to_list() for pick in reported.picks]
    folded += [[] for _ in range(count - len(folded))]
    return pl.Series("folded", folded, dtype=pl.List(PREDICATES))
