"""How often findings are false, found, and right about their size, on tables of known truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.slices import audit_slices
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.difference_interval import compute_interval
from tests.slices.planted import Planted, members_of, plant, plant_nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NullResult:
    """Of `tables` without any weak slice, those with any finding and with a confirmed one."""

    tables: int
    any: int
    confirmed: int


@dataclass(frozen=True)
class PlantedResult:
    """Counts over tables with five planted slices each; covered: (hits, intervals)."""

    planted: int
    found: int  # planted slices that a finding names exactly
    findings: int
    right: int  # findings that name a planted slice exactly
    overlapping: int  # findings that share at least half of their rows with a planted slice
    of_planted: tuple[int, int]  # intervals of the planted slices
    of_holdout: tuple[int, int]  # of findings, on the rows that confirm
    of_discovery: tuple[int, int]  # of findings, on the rows that they were chosen by: optimistic


def measure_null(*, kind: str, n: int, confirm: float, tables: int, seed: int = 0) -> NullResult:
    """Audit tables whose errors have nothing to do with their attributes."""
    found = confirmed = 0
    for number in range(tables):
        table, errors = plant_nothing(1_000_000 + seed + number, n, kind=kind)
        findings = audit_slices(table, errors, confirm=confirm, seed=number).findings
        found += findings.height > 0
        confirmed += "confirmed" in findings["state"].to_list()
    return NullResult(tables, found, confirmed)


def measure_planted(
    *, kind: str, n: int, confirm: float, tables: int, seed: int = 0, base: float = 0.1
) -> PlantedResult:
    """Audit tables with five planted slices and compare the findings with the truth.

    base: the error outside the slices; inside it is 0.25 more.
    """
    found = findings = right = overlapping = 0
    planted_hits, holdout_hits, discovery_hits = [], [], []
    for number in range(tables):
        planted = plant(seed + number, n, kind=kind, base=base)
        frame = audit_slices(
            planted.table, planted.errors, confirm=confirm, seed=number, permutations=399
        ).findings
        names = [
            tuple((p["attribute"], p["value"]) for p in predicates)
            for predicates in frame["predicates"]
        ]
        found += len(set(names) & set(planted.slices))
        findings += len(names)
        right += sum(name in planted.slices for name in names)
        overlapping += sum(_shares_half(planted, name) for name in names)
        planted_hits += [_covers(planted, name) for name in planted.slices]
        for name, row in zip(names, frame.iter_rows(named=True), strict=True):
            truth = _true_difference(planted, name)
            discovery_hits.append(row["ci_low"] <= truth <= row["ci_high"])
            if row["holdout_ci_low"] is not None:
                holdout_hits.append(row["holdout_ci_low"] <= truth <= row["holdout_ci_high"])
    return PlantedResult(
        5 * tables, found, findings, right, overlapping,
        *((sum(hits), len(hits)) for hits in (planted_hits, holdout_hits, discovery_hits)),
    )  # fmt: skip


def _true_difference(planted: Planted, name: tuple[tuple[str, str], ...]) -> float:
    inside = members_of(planted.table, name)
    return float(planted.rate[inside].mean() - planted.rate[~inside].mean())


def _covers(planted: Planted, name: tuple[tuple[str, str], ...]) -> bool:
    losses = prepare_losses(planted.errors, None, rows=planted.table.height)
    inside = members_of(planted.table, name)
    low, high = compute_interval(losses, inside, cluster_ids=None, seed=0)
    return low <= _true_difference(planted, name) <= high


def _shares_half(planted: Planted, name: tuple[tuple[str, str], ...]) -> bool:
    inside = members_of(planted.table, name)
    for other in planted.slices:
        there = members_of(planted.table, other)
        if (inside & there).sum() >= 0.5 * (inside | there).sum():
            return True
    return False
