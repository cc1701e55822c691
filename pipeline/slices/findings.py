"""Distinct slices -> the `findings` table: intervals, held-out numbers, states."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.arrays import Ints, Mask
from pipeline.slices.audit_rows import AuditRows
from pipeline.slices.evidence.assessment import FamilyWise
from pipeline.slices.evidence.difference_interval import compute_interval
from pipeline.slices.evidence.discovery import Discovery, compare_rows, member_finder
from pipeline.slices.evidence.distinct import Finding
from pipeline.slices.evidence.stratified_score import compare_beside
from pipeline.slices.family import Family, complement_error, name_slices
from pipeline.slices.slice_ids import SliceIds
from pipeline.statistics.p_values import adjust_holm
from pipeline.tables import PREDICATES, WEAKNESSES, check
from pipeline.vocabulary import CONFIRMED, INSUFFICIENT, LEVEL, LIKELY

Row = dict[str, Any]


@dataclass(frozen=True)
class Reported:
    """The slices to report: the findings, then those shown without enough evidence."""

    findings: list[Finding]
    slices: SliceIds  # (r, level), the findings first
    positions: Ints  # (r,) in the full family
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
    them, optimistic. holdout_p is the larger of two: the slice against its held-out
    complement, and beside earlier findings: without their rows, or within them where they hold it.
    """
    rows = [
        _describe(discovery, family, reported, number, seed=seed)
        for number in range(len(reported.positions))
    ]
    names = name_slices(family.layout, reported.slices)
    _share_excess(discovery, reported.findings, rows)
    if holdout is not None:
        pairs = [[(p["attribute"], p["value"]) for p in slice_] for slice_ in names.to_list()]
        _hold_out(discovery, holdout, pairs, rows, count=len(reported.findings), seed=seed)
    _set_states(rows, count=len(reported.findings), held_out=holdout is not None)
    frame = pl.DataFrame(
        {
            name: pl.Series([row.get(name) for row in rows], dtype=dtype)
            for name, dtype in _PLAIN.items()
        }
    ).with_columns(names, _fold(family, reported, len(rows)))
    return check(frame, WEAKNESSES, table="findings")


_PLAIN = {name: dtype for name, dtype in WEAKNESSES.items() if name not in ("predicates", "folded")}


def _describe(
    discovery: Discovery, family: Family, reported: Reported, number: int, *, seed: int
) -> Row:
    """Return a slice's numbers on all discovery rows."""
    finding = reported.findings[number] if number < len(reported.findings) else None
    one = family.take(reported.positions[number : number + 1])
    inside = (
        finding.members
        if finding is not None
        else discovery.members(tuple(int(i) for i in reported.slices[number] if i >= 0))
    )
    error = float(one.sums.total[0] / one.sums.weight[0])
    complement = float(complement_error(family.total, one.sums)[0])
    low, high = compute_interval(
        discovery.rows.losses, inside, cluster_ids=discovery.rows.cluster_ids, seed=seed
    )
    family_wise = reported.family_wise
    return {
        "rank": number + 1,
        "level": int(one.level[0]),
        "n": int(one.sums.n[0]),
        "weight": float(one.sums.weight[0]),
        "error": error,
        "rest_error": _known(complement),
        "difference": _known(error - complement),
        "ci_low": _known(low),
        "ci_high": _known(high),
        "lift": _known(error / complement) if complement > 0 else None,
        "score": float(one.score[0]),
        "p": float(one.p[0]),
        "q": float(one.q[0]),
        "q_residual": None if finding is None else finding.q_residual,
        "p_family": None if family_wise is None else float(family_wise.p[number]),
        "folded_count": 0 if finding is None else finding.folded_count,
    }


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _share_excess(discovery: Discovery, findings: list[Finding], rows: list[Row]) -> None:
    """Set each finding's share of the error above that of the rows which no finding covers.

    A row of several findings counts for the one with the largest error, so shares add up to 1.
    """
    losses = discovery.rows.losses
    weights = np.ones(len(losses.errors)) if losses.weights is None else losses.weights
    left = np.ones(len(losses.errors), np.bool_)
    for finding in findings:
        left &= ~finding.members
    if not left.any():
        return
    base = float((weights * losses.errors)[left].sum() / weights[left].sum())
    excess = weights * (losses.errors - base)
    total = float(excess[~left].sum())
    for finding, row in zip(findings, rows, strict=False):
        row["explained_share"] = float(excess[finding.credited].sum()) / total if total else None


def _hold_out(
    discovery: Discovery, holdout: AuditRows, pairs: list[list[tuple[str, str]]], rows: list[Row],
    *, count: int, seed: int,
) -> None:  # fmt: skip
    """Set the held-out numbers of every reported slice."""
    find = member_finder(holdout)
    losses, cluster_ids = holdout.losses, holdout.cluster_ids
    weights = np.ones(len(holdout)) if losses.weights is None else losses.weights
    direction = discovery.search.options.direction
    earlier: list[Mask] = []
    for number, (predicates, row) in enumerate(zip(pairs, rows, strict=True)):
        inside = find(predicates)
        row["holdout_n"] = int(inside.sum())
        for name, part in (("holdout_error", inside), ("holdout_rest_error", ~inside)):
            if part.any():
                row[name] = float(np.average(losses.errors[part], weights=weights[part]))
        low, high = compute_interval(losses, inside, cluster_ids=cluster_ids, seed=seed)
        row["holdout_ci_low"], row["holdout_ci_high"] = _known(low), _known(high)
        whole = compare_rows(losses, cluster_ids, inside, ~inside, direction=direction)
        beyond = compare_beside(losses, cluster_ids, inside, earlier, direction=direction)
        row["holdout_p"] = max(whole, beyond)
        if number < count:
            earlier.append(inside)


def _set_states(rows: list[Row], *, count: int, held_out: bool) -> None:
    """Set confirmed, likely or insufficient evidence, as docs/slices.md defines them.

    All chosen slices are likely at least: the steps of the choice asked for that.
    """
    found_rows = rows[:count]
    holm = (
        adjust_holm(np.array([row["holdout_p"] for row in found_rows]))
        if held_out and found_rows
        else None
    )
    for number, row in enumerate(found_rows):
        p = row["p_family"] if holm is None else holm[number]
        row["state"] = CONFIRMED if p is not None and p < LEVEL else LIKELY
    for row in rows[count:]:
        row["state"] = INSUFFICIENT


def _fold(family: Family, reported: Reported, count: int) -> pl.Series:
    """Name the slices that each finding explains."""
    folded = [name_slices(family.layout, finding.folded).to_list() for finding in reported.findings]
    folded += [[] for _ in range(count - len(folded))]
    return pl.Series("folded", folded, dtype=pl.List(PREDICATES))
