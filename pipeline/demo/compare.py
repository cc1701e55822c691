"""Findings from noisy labels, compared with weaknesses that are known to be true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.predicates import select_rows

FIRST = 10  # findings that are compared
SAME = 0.5  # Jaccard index from which two slices are the same
WEAK = 1.1  # a finding is false if its error is under this many times its complement's

Predicates = Sequence[Mapping[str, str]]
Members = npt.NDArray[np.bool_]
Errors = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrueFinding:
    """A true weakness by true values, and the rank of the first finding that matches it."""

    predicates: Predicates
    n: int
    error: float
    complement_error: float
    matched_rank: int | None


@dataclass(frozen=True)
class LabelFinding:
    """A finding from labels, with the size and errors that its slice has by true values."""

    rank: int
    predicates: Predicates
    n: int
    error: float
    complement_error: float
    false: bool


@dataclass(frozen=True)
class Comparison:
    """The true weaknesses in their order, and the first findings from labels."""

    true_findings: tuple[TrueFinding, ...]
    label_findings: tuple[LabelFinding, ...]

    @property
    def matched(self) -> tuple[TrueFinding, ...]:
        """The true weaknesses that a finding from labels matches."""
        return tuple(one for one in self.true_findings if one.matched_rank is not None)

    @property
    def missed(self) -> tuple[TrueFinding, ...]:
        """The true weaknesses that no finding from labels matches."""
        return tuple(one for one in self.true_findings if one.matched_rank is None)

    @property
    def false(self) -> tuple[LabelFinding, ...]:
        """The findings from labels whose slice has no larger error by true values."""
        return tuple(one for one in self.label_findings if one.false)


def compare_findings(
    truth: pl.DataFrame,
    findings: pl.DataFrame,
    *,
    table: pl.DataFrame,
    errors: Errors,
    orders: Mapping[str, Sequence[str]] | None = None,
) -> Comparison:
    """Compare findings from labels with weaknesses that are known to be true.

    truth, findings: only `predicates` is read, of findings best first. table: the true value of
    each attribute, one row a sample; errors: (n,) of the same rows. orders: the values of ordered
    attributes, for predicates that name runs of them. A true weakness is matched by one of the
    FIRST findings with its predicates, or with a Jaccard index of members by true values of at
    least one half. A finding is false if its slice's error by true values is under 1.1 times its
    complement's.
    """
    predicates = _read_predicates(findings)[:FIRST]
    members = [find_members(table, one, orders=orders) for one in predicates]
    return Comparison(
        tuple(
            _match(one, find_members(table, one, orders=orders), errors, predicates, members)
            for one in _read_predicates(truth)
        ),
        tuple(
            _check(rank, one, rows, errors)
            for rank, (one, rows) in enumerate(zip(predicates, members, strict=True), start=1)
        ),
    )


def find_members(
    table: pl.DataFrame,
    predicates: Predicates,
    *,
    orders: Mapping[str, Sequence[str]] | None = None,
) -> Members:
    """Return which rows satisfy every predicate; none where the table lacks an attribute."""
    if any(predicate["attribute"] not in table.columns for predicate in predicates):
        return np.zeros(table.height, dtype=np.bool_)
    rows = select_rows(table.cast(pl.String), predicates, orders=orders or {})
    return rows.fill_null(value=False).to_numpy()


def compare_members(left: Members, right: Members) -> float:
    """Return the Jaccard index of two sets of rows: shared over all; 0 if both are empty."""
    union = int((left | right).sum())
    return int((left & right).sum()) / union if union else 0.0


def write_comparison(
    comparison: Comparison, *, heading: str = "Groups that the training lacked, by true values:"
) -> str:
    """Return in plain text which true weaknesses are matched or missed, and which are false."""
    lines = [heading]
    for one in comparison.true_findings:
        rank = one.matched_rank
        status = "missed" if rank is None else f"found as number {rank}"
        lines.append(f"  {_describe(one):62} {status}")
    lines.append("Findings from the encoder's labels, with their errors by true values:")
    lines += [
        f"  {one.rank:2}. {_describe(one):58} {'FALSE' if one.false else ''}".rstrip()
        for one in comparison.label_findings
    ]
    matched, false = len(comparison.matched), len(comparison.false)
    lines.append(
        f"{matched} of {len(comparison.true_findings)} weaknesses found, "
        f"{false} of {len(comparison.label_findings)} findings false"
    )
    return "\n".join(lines)


def _describe(finding: TrueFinding | LabelFinding) -> str:
    items = (f"{item['attribute']} = {item['value']}" for item in finding.predicates)
    words = f"{' and '.join(items)} (n {finding.n:,})"
    return f"{words}: {finding.error:.3f}, elsewhere {finding.complement_error:.3f}"


def _read_predicates(frame: pl.DataFrame) -> list[list[dict[str, str]]]:
    rows: list[dict[str, Any]] = frame.select("predicates").to_dicts()
    return [row["predicates"] for row in rows]


def _average(rows: Members, errors: Errors) -> tuple[float, float]:
    """Return the mean error of some rows and of their complement; NaN where there is no row."""
    own = float(errors[rows].mean()) if rows.any() else float("nan")
    complement = float(errors[~rows].mean()) if not rows.all() else float("nan")
    return own, complement


def _check(rank: int, predicates: Predicates, rows: Members, errors: Errors) -> LabelFinding:
    own, complement = _average(rows, errors)
    # Written so that a slice without members, or without a complement, is false as well.
    holds = own > 0 and own >= WEAK * complement
    return LabelFinding(rank, predicates, int(rows.sum()), own, complement, not holds)


def _match(
    predicates: Predicates,
    rows: Members,
    errors: Errors,
    candidates: Sequence[Predicates],
    members: Sequence[Members],
) -> TrueFinding:
    """Find the first of the candidates, each with its members, that is the same slice."""
    own, complement = _average(rows, errors)
    wanted = _as_set(predicates)
    ranks = (
        rank
        for rank, (one, other) in enumerate(zip(candidates, members, strict=True), start=1)
        if _as_set(one) == wanted or compare_members(rows, other) >= SAME
    )
    return TrueFinding(predicates, int(rows.sum()), own, complement, next(ranks, None))


def _as_set(predicates: Predicates) -> frozenset[tuple[str, str]]:
    return frozenset((item["attribute"], item["value"]) for item in predicates)
