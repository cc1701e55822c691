"""Findings made through noisy labels, held against the weaknesses that true values show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

FIRST = 10  # findings that are judged
SAME = 0.5  # Jaccard index from which two slices are the same
WEAK = 1.1  # a finding is false if its error is under this many times the rest's

Predicates = Sequence[Mapping[str, str]]
Members = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """A weakness by true values, and the rank of the finding that tells of it, if one does."""

    predicates: Predicates
    n: int
    error: float
    rest_error: float
    found_as: int | None


@dataclass(frozen=True)
class Claim:
    """A finding, with the size and errors that its slice has by true values."""

    rank: int
    predicates: Predicates
    n: int
    error: float
    rest_error: float
    false: bool


@dataclass(frozen=True)
class Comparison:
    """All truths, worst first, and the first findings."""

    truths: tuple[Truth, ...]
    claims: tuple[Claim, ...]

    @property
    def found(self) -> tuple[Truth, ...]:
        """The truths that a finding tells of."""
        return tuple(truth for truth in self.truths if truth.found_as is not None)

    @property
    def missed(self) -> tuple[Truth, ...]:
        """The truths that no finding tells of."""
        return tuple(truth for truth in self.truths if truth.found_as is None)

    @property
    def false(self) -> tuple[Claim, ...]:
        """The findings that do not hold by true values."""
        return tuple(claim for claim in self.claims if claim.false)


def compare_findings(
    truth: pl.DataFrame,
    findings: pl.DataFrame,
    *,
    table: pl.DataFrame,
    errors: npt.NDArray[np.float64],
    first: int = FIRST,
) -> Comparison:
    """Hold findings against the truth.

    truth, findings: tables of findings, best first; only `predicates` is read. table: the true
    value of each attribute, one row a sample; errors: (n,) of the same rows. A truth is found if
    one of the `first` findings has its predicates, or a Jaccard index of members by true values of
    at least one half. A finding is false if its slice's error is under 1.1 times the rest's.
    """
    claimed = _read_predicates(findings)[:first]
    members = [find_members(table, predicates) for predicates in claimed]
    claims = [
        _judge(rank, predicates, rows, errors)
        for rank, (predicates, rows) in enumerate(zip(claimed, members, strict=True), start=1)
    ]
    truths = [
        _seek(predicates, find_members(table, predicates), errors, claimed, members)
        for predicates in _read_predicates(truth)
    ]
    return Comparison(tuple(truths), tuple(claims))


def find_members(table: pl.DataFrame, predicates: Predicates) -> Members:
    """Return which rows satisfy every predicate; an attribute that is not there holds for none."""
    rows = np.ones(table.height, dtype=np.bool_)
    for predicate in predicates:
        if predicate["attribute"] not in table.columns:
            return np.zeros(table.height, dtype=np.bool_)
        column = table[predicate["attribute"]].cast(pl.String)
        rows &= (column == predicate["value"]).fill_null(value=False).to_numpy()
    return rows


def compare_members(left: Members, right: Members) -> float:
    """Return the Jaccard index of two sets of rows: shared over all; 0 if both are empty."""
    union = int((left | right).sum())
    return int((left & right).sum()) / union if union else 0.0


def write_comparison(comparison: Comparison) -> str:
    """Return the truth, what was found of it, what was missed and what is false, in plain text."""
    lines = ["Weaknesses by true values:"]
    for truth in comparison.truths:
        told = "missed" if truth.found_as is None else f"found as number {truth.found_as}"
        lines.append(f"  {_describe(truth):62} {told}")
    lines.append("Findings from the encoder's labels, with their errors by true values:")
    lines += [
        f"  {claim.rank:2}. {_describe(claim):58} {'FALSE' if claim.false else ''}".rstrip()
        for claim in comparison.claims
    ]
    counts = f"{len(comparison.found)} of {len(comparison.truths)} weaknesses found"
    lines.append(f"{counts}, {len(comparison.false)} of {len(comparison.claims)} findings false")
    return "\n".join(lines)


def write_predicates(predicates: Predicates) -> str:
    """Return predicates in words: age = child and weather = fog."""
    return " and ".join(f"{item['attribute']} = {item['value']}" for item in predicates)


def _describe(item: Truth | Claim) -> str:
    words = f"{write_predicates(item.predicates)} (n {item.n:,})"
    return f"{words}: {item.error:.3f}, elsewhere {item.rest_error:.3f}"


def _read_predicates(frame: pl.DataFrame) -> list[list[dict[str, str]]]:
    rows: list[dict[str, Any]] = frame.select("predicates").to_dicts()
    return [row["predicates"] for row in rows]


def _errors_of(rows: Members, errors: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean error inside and outside; not-a-number where there is no row."""
    inside = float(errors[rows].mean()) if rows.any() else float("nan")
    outside = float(errors[~rows].mean()) if not rows.all() else float("nan")
    return inside, outside


def _judge(
    rank: int, predicates: Predicates, rows: Members, errors: npt.NDArray[np.float64]
) -> Claim:
    inside, outside = _errors_of(rows, errors)
    # Written so that a slice without members, or without a rest, is false as well.
    holds = inside > 0 and inside >= WEAK * outside
    return Claim(rank, predicates, int(rows.sum()), inside, outside, not holds)


def _seek(
    predicates: Predicates,
    rows: Members,
    errors: npt.NDArray[np.float64],
    claimed: Sequence[Predicates],
    members: Sequence[Members],
) -> Truth:
    inside, outside = _errors_of(rows, errors)
    wanted = _as_set(predicates)
    found = [
        rank
        for rank, (claim, other) in enumerate(zip(claimed, members, strict=True), start=1)
        if _as_set(claim) == wanted or compare_members(rows, other) >= SAME
    ]
    return Truth(predicates, int(rows.sum()), inside, outside, found[0] if found else None)


def _as_set(predicates: Predicates) -> frozenset[tuple[str, str]]:
    return frozenset((item["attribute"], item["value"]) for item in predicates)
