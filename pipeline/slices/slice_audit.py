"""The audit of a table: count its slices once, choose distinct findings, and test them."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from pipeline.arrays import Ints, Mask
from pipeline.exceptions import SearchError
from pipeline.slices.audit_rows import (
    AuditRows,
    mark_held_out,
    number_clusters,
    order_rows,
    split_rows,
)
from pipeline.slices.counting.encode import encode_table
from pipeline.slices.counting.fixed_point import prepare_losses
from pipeline.slices.evidence.assessment import Assessment, Assessor, open_assessor
from pipeline.slices.evidence.discovery import Discovery, open_discovery
from pipeline.slices.evidence.distinct import Finding, find_distinct
from pipeline.slices.family import Family, tabulate
from pipeline.slices.findings import Reported, tabulate_findings
from pipeline.slices.findings_html import name_slice, write_html
from pipeline.slices.options import AuditOptions, merge_options
from pipeline.slices.search_notes import SearchNotes, write_notes
from pipeline.vocabulary import LEVEL

_CANDIDATES = 200  # slices without enough evidence among which those to show are chosen


@dataclass(frozen=True)
class SliceResult:
    """The counted family (FAMILY), the findings (WEAKNESSES) and notes on the search.

    held_out: (n,) which rows of the table were kept from the search to confirm it; None without.

    >>> table = pl.DataFrame({"hat": ["yes", "no"] * 200})
    >>> result = audit_slices(table, [0.0, 1.0, 1.0, 0.0] * 100)
    >>> result.family.height, result.findings.height, result.search.n, result.error
    (2, 0, 400, 0.5)
    """

    family: pl.DataFrame
    findings: pl.DataFrame
    search: SearchNotes
    held_out: Mask | None = None

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

    def to_polars(self) -> pl.DataFrame:
        """Return the findings, one row each, with the slice in words in place of predicates."""
        words = [name_slice(predicates) for predicates in self.findings["predicates"].to_list()]
        rest = self.findings.drop("predicates", "folded")
        return rest.insert_column(1, pl.Series("slice", words, pl.String))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the findings as a table, and the notes on the search."""
        return write_html(self.findings, self.notes)


def find_weaknesses(
    table: pl.DataFrame,
    errors: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    cluster_ids: ArrayLike | pl.Series | None = None,
    options: AuditOptions | None = None,
    **changes: object,
) -> pl.DataFrame:
    """Return the distinct slices in which errors are larger than elsewhere, with their evidence.

    Arguments and errors as for `audit_slices`. Returns the WEAKNESSES table, best first; empty when
    there is no evidence of any.

    >>> table = pl.DataFrame({"hat": ["yes", "no"] * 200, "night": ["yes"] * 80 + ["no"] * 320})
    >>> errors = [1.0 if i < 80 and i % 2 == 0 else 0.0 for i in range(400)]
    >>> worst = find_weaknesses(table, errors, max_level=2).row(0, named=True)
    >>> worst["n"], worst["error"], worst["state"]
    (40, 1.0, 'confirmed')
    """
    result = audit_slices(
        table, errors, weights=weights, cluster_ids=cluster_ids, options=options, **changes
    )
    return result.findings


def audit_slices(
    table: pl.DataFrame,
    errors: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    cluster_ids: ArrayLike | pl.Series | None = None,
    options: AuditOptions | None = None,
    **changes: object,
) -> SliceResult:
    """Count the family once and return it with the findings and notes on the search.

    table: n rows, one column per attribute (text, categories, booleans, integers). errors: n finite
    losses >= 0. weights: n numbers > 0, how often each row counts. cluster_ids: n ids, equal for
    rows that are not independent, such as the crops of one image. options: the defaults where none
    are given; `changes` replace fields of them. With `confirm`, family and findings are of the rows
    not held out. Raises TableError or SearchError, TypeError for an unknown option.

    >>> table = pl.DataFrame({"hat": ["yes", "no"] * 200, "night": ["yes"] * 80 + ["no"] * 320})
    >>> errors = [1.0 if i < 80 and i % 2 == 0 else 0.0 for i in range(400)]
    >>> result = audit_slices(table, errors, cluster_ids=[i // 2 for i in range(400)], confirm=0.5)
    >>> result.findings["state"].to_list(), result.search.holdout_n
    (['confirmed'], 200)
    """
    chosen = merge_options(options or AuditOptions(), changes)
    codes = encode_table(table, orders=chosen.ordered)
    chosen.check(codes.values_by_attribute)
    losses = prepare_losses(errors, weights, rows=table.height)
    number = number_clusters(cluster_ids, rows=table.height)
    given = AuditRows(codes, losses, number)
    order = order_rows(given)
    rows, holdout = split_rows(given.take(order), confirm=chosen.confirm, seed=chosen.seed)
    if not len(rows) or (holdout is not None and not len(holdout)):
        raise SearchError(
            f"{table.height} rows cannot be split with confirm = {chosen.confirm}; use 0"
        )
    discovery = open_discovery(rows, replace(chosen, top=None))  # top limits findings alone
    counted = discovery.count()
    assessor = open_assessor(
        discovery, counted.family, permutations=chosen.permutations, seed=chosen.seed
    )
    full = assessor.assess()
    findings = find_distinct(assessor, full, top=chosen.top)
    reported = _report(assessor, full, findings, chosen.show_insufficient)
    notes = write_notes(
        discovery,
        counted,
        holdout_n=0 if holdout is None else len(holdout),
        permutations=0 if reported.family_wise is None else reported.family_wise.permutations,
    )
    return SliceResult(
        tabulate(counted.family),
        tabulate_findings(discovery, counted.family, reported, holdout, seed=chosen.seed),
        notes,
        None
        if holdout is None
        else mark_held_out(given, order, confirm=chosen.confirm, seed=chosen.seed),
    )


def _report(
    assessor: Assessor, full: Assessment, findings: list[Finding], show_insufficient: int
) -> Reported:
    """Add insufficient candidates to the findings and compute the family-wise p of all."""
    family = assessor.family
    positions = [finding.position for finding in findings]
    if show_insufficient:
        candidates = _list_insufficient(family, set(positions), findings, assessor.discovery)
        positions += candidates[:show_insufficient]
    reported: Ints = np.array(positions, np.int64)
    family_wise = assessor.compute_family_wise(full, reported) if len(reported) else None
    return Reported(findings, family.slices[reported], reported, family_wise)


def _list_insufficient(
    family: Family, reported: set[int], findings: list[Finding], discovery: Discovery
) -> list[int]:
    """List slices without enough evidence, best score first, most of whose rows no finding has."""
    covered = np.zeros(len(discovery.rows), np.bool_)
    for finding in findings:
        covered |= finding.members
    candidates = []
    for row in np.flatnonzero(family.q >= LEVEL)[:_CANDIDATES]:
        inside = discovery.members(tuple(int(i) for i in family.slices[row] if i >= 0))
        if int(row) not in reported and covered[inside].mean() < 0.5:
            candidates.append(int(row))
    return candidates
