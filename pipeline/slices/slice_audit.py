"""Findings: distinct slices that hold up, with their evidence and their state."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from pipeline.exceptions import SearchError
from pipeline.slices.audit_rows import AuditRows, number_groups, sort_rows, split_rows
from pipeline.slices.counting.encode import encode_table
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.discovery import Discovery, compute_family_wise, open_discovery
from pipeline.slices.evidence.distinct import Pick, explain_away
from pipeline.slices.evidence.family_wise_fallback import judge_family
from pipeline.slices.family import Family, tabulate
from pipeline.slices.findings import Reported, tabulate_findings
from pipeline.slices.search import SearchArguments, SearchOptions
from pipeline.slices.search_notes import SearchNotes, write_notes

_MOST = 30  # findings when no limit is given
_PERMUTATIONS = 1000


class AuditArguments(SearchArguments, total=False):
    """The arguments of `audit_slices` that `find_weaknesses` passes on."""

    weights: ArrayLike | None
    top: int | None
    permutations: int
    show_insufficient: int


@dataclass(frozen=True)
class SliceResult:
    """The counted family (FAMILY), the findings (WEAKNESSES) and what the search saw."""

    family: pl.DataFrame
    findings: pl.DataFrame
    search: SearchNotes

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how the search went, for logs and reports."""
        return self.search.sentences()

    @property
    def error(self) -> float:
        """Mean error of the rows searched."""
        return self.search.error

    @property
    def detectable_gap(self) -> float | None:
        """The smallest difference that a slice as small as allowed would have shown."""
        return self.search.detectable_gap

    @property
    def mostly_wrong(self) -> bool:
        """Whether the mean error is above one half, so that lift and score can rank little."""
        return self.search.mostly_wrong


def find_weaknesses(
    table: pl.DataFrame,
    errors: ArrayLike,
    *,
    groups: ArrayLike | pl.Series | None = None,
    confirm: float = 0.0,
    seed: int = 0,
    **search: Unpack[AuditArguments],
) -> pl.DataFrame:
    """Return the distinct slices in which errors are larger than elsewhere, with their evidence.

    groups: n image ids of rows that belong together. confirm: the share of images held out to
    confirm what the others show. Further arguments are those of `audit_slices` and `search_slices`.
    Returns the WEAKNESSES table, best first; empty when there is no evidence of any.
    Raises TableError or SearchError.
    """
    return audit_slices(table, errors, groups=groups, confirm=confirm, seed=seed, **search).findings


def audit_slices(
    table: pl.DataFrame,
    errors: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    groups: ArrayLike | pl.Series | None = None,
    confirm: float = 0.0,
    seed: int = 0,
    top: int | None = None,
    permutations: int = _PERMUTATIONS,
    show_insufficient: int = 0,
    **search: Unpack[SearchArguments],
) -> SliceResult:
    """Count the family once and return it with the findings and notes on the search.

    table, errors, weights and the further arguments (alpha, max_level, min_support, engine, must,
    must_not, exclude_unknown, direction, memory, backend): as for `search_slices`. top: findings at
    most. permutations: for p_family; 0 takes Bonferroni's over all possible slices instead.
    show_insufficient: how many slices to show below the findings although the evidence is too weak.
    With `confirm`, family and findings are of the rows not held out.
    """
    _check_audit(confirm=confirm, permutations=permutations, extra=show_insufficient, top=top)
    options = SearchOptions(**search)
    codes = encode_table(table)
    losses = prepare_losses(errors, weights, rows=table.height)
    number = number_groups(groups, rows=table.height)
    rows = sort_rows(AuditRows(codes, losses, number))
    rows, holdout = split_rows(rows, confirm=confirm, seed=seed)
    if not len(rows) or (holdout is not None and not len(holdout)):
        raise SearchError(f"{table.height} rows cannot be split with confirm = {confirm}; use 0")
    discovery = open_discovery(rows, options)
    found = discovery.count()
    judged, recount = judge_family(discovery, found.family, permutations=permutations, seed=seed)
    picks = explain_away(
        judged,
        recount=recount,
        members=discovery.members,
        compare=discovery.compare,
        within=discovery.compare_within,
        limit=top or _MOST,
    )
    reported = _report(discovery, found.family, picks, show_insufficient, permutations, seed)
    findings = tabulate_findings(discovery, found.family, reported, holdout, seed=seed)
    made = 0 if reported.family_wise is None else reported.family_wise.permutations
    held_out = 0 if holdout is None else len(holdout)
    notes = write_notes(discovery, found, holdout_n=held_out, permutations=made)
    return SliceResult(tabulate(found.family), findings, notes)


def _check_audit(*, confirm: float, permutations: int, extra: int, top: int | None) -> None:
    """Raise SearchError listing every argument of an audit that cannot be."""
    problems = []
    if not 0 <= confirm < 1:
        problems.append(f"confirm is {confirm}, expected a share of at least 0 and below 1")
    if permutations < 0:
        problems.append(f"permutations is {permutations}, expected 0 or more")
    if extra < 0:
        problems.append(f"show_insufficient is {extra}, expected 0 or more")
    if top is not None and top < 1:
        problems.append(f"top is {top}, expected at least 1")
    if problems:
        raise SearchError.from_problems("slice search", problems)


def _report(
    discovery: Discovery,
    family: Family,
    picks: list[Pick],
    extra: int,
    permutations: int,
    seed: int,
) -> Reported:
    """Look the picks up in the full family, add weak candidates, and compute family-wise p."""
    places = [row for pick in picks if (row := family.find(pick.ids)) is not None]
    if extra:
        places += _weak(family, set(places), picks, discovery)[:extra]
    chosen: NDArray[np.int64] = np.array(places, np.int64)
    wise = None
    if len(chosen):
        wise = compute_family_wise(
            discovery, family, chosen, permutations=permutations, seed=seed,
            complete=discovery.search.engine == "cube",
        )  # fmt: skip
    return Reported(picks, family.slices[chosen], chosen, wise)


def _weak(family: Family, taken: set[int], picks: list[Pick], discovery: Discovery) -> list[int]:
    """List slices that are not findings, best score first: mostly outside the findings' rows."""
    covered = np.zeros(len(discovery.rows), np.bool_)
    for pick in picks:
        covered |= pick.members
    weak = []
    for row in np.flatnonzero(family.q >= 0.05)[:200]:
        inside = discovery.members(tuple(int(i) for i in family.slices[row] if i >= 0))
        if int(row) not in taken and covered[inside].mean() < 0.5:
            weak.append(int(row))
    return weak
