"""Two audits become one table: what is new, worse, better or fixed in the slices that they list."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy import special

from pipeline.arrays import Floats, Ints, Mask
from pipeline.comparison.gap_moments import Moments, Side, SliceMoments, measure_all, measure_slice
from pipeline.comparison.selected_change import Change, weigh_change
from pipeline.predicates import select_rows
from pipeline.statistics.p_values import adjust_holm
from pipeline.tables.comparison_tables import CHANGES
from pipeline.vocabulary import FAIL, INSUFFICIENT, LEVEL, PASS

NEW, WORSE, FIXED, BETTER = "new", "worse", "fixed", "better"
UNCHANGED, UNCLEAR_CHANGE, NOT_COMPARABLE = "unchanged", "unclear", "not comparable"
MOST_URGENT_FIRST = (NEW, WORSE, UNCLEAR_CHANGE, UNCHANGED, BETTER, FIXED, NOT_COMPARABLE)
ALONE, EITHER = "before", "both"  # values of `listed`, beside "after"

Predicates = Sequence[Mapping[str, str]]
_PICKED = 0.04  # family-wise level at which a search lists a slice
_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AuditRows:
    """One audit of one system.

    attributes: one column an attribute, n rows. errors, cluster_ids: (n,); an image that both
    audits have has the same cluster_id in both. findings: the predicates of each. counted: how many
    slices the search counted. orders: values of ordered attributes.
    """

    attributes: pl.DataFrame
    errors: Floats
    cluster_ids: pl.Series
    findings: Sequence[Predicates]
    counted: int
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def select(self, predicates: Predicates) -> Mask | None:
        """Return (n,) which rows a slice holds, None where an attribute of it is lacking."""
        if any(item["attribute"] not in self.attributes.columns for item in predicates):
            return None
        return select_rows(self.attributes, predicates, orders=self.orders).to_numpy()


@dataclass(frozen=True)
class Overall:
    """The mean error of all samples: Moments, and the 95 % interval of its change."""

    moments: Moments
    low: float
    high: float
    shared_images: int


def compare_all(before: AuditRows, after: AuditRows) -> Overall:
    """Return how the mean error of all samples changed."""
    sides, clusters, shared = _number_clusters(before, after)
    moments = measure_all(*sides, clusters=clusters)
    plain = weigh_change(moments)
    return Overall(moments, plain.low, plain.high, shared)


def compare_slices(
    before: AuditRows,
    after: AuditRows,
    *,
    max_regression: float | None = None,
) -> pl.DataFrame:
    """Return CHANGES of all findings of both audits, most urgent first.

    A change of the gap holds up when its p, corrected by Holm over all rows, is below 0.05.
    Slices of "before" whose gap fell are "fixed" where at most half of it can be left (95 %).
    "unchanged" is said where the interval excludes a change of half of the larger gap, else it is
    "unclear". max_regression: the largest growth of the error inside that the gate lets pass.
    """
    sides, clusters, _ = _number_clusters(before, after)
    measured = []
    for key, listed in _list_slices(before, after).items():
        predicates = [{"attribute": name, "value": value} for name, value in key]
        moments = None
        inside = before.select(predicates), after.select(predicates)
        if inside[0] is not None and inside[1] is not None:
            moments = measure_slice(*sides, inside[0], inside[1], clusters=clusters)
        measured.append((predicates, listed, moments, _test(moments, listed, before, after)))
    p = np.array([1.0 if tests is None else tests[1].p for *_, tests in measured])
    holm = adjust_holm(p) if len(p) else p
    rows = [
        _describe(*one, p_holm=float(corrected), max_regression=max_regression)
        for one, corrected in zip(measured, holm, strict=True)
    ]
    ranks = {verdict: rank for rank, verdict in enumerate(MOST_URGENT_FIRST)}
    return pl.DataFrame(rows, schema=dict(CHANGES)).sort(
        pl.col("verdict").replace_strict(ranks, return_dtype=pl.Int64),
        pl.col("gap_change").abs(),
        descending=[False, True],
        nulls_last=True,
        maintain_order=True,
    )


def judge_regressions(changes: pl.DataFrame) -> str | None:
    """Return the verdict of the gate over all slices, None without a gate."""
    verdicts = set(changes["gate"].drop_nulls())
    return next((one for one in (FAIL, INSUFFICIENT, PASS) if one in verdicts), None)


def _number_clusters(before: AuditRows, after: AuditRows) -> tuple[tuple[Side, Side], int, int]:
    """Number the images of both audits from 0; return both sides, how many, and how many shared."""
    names = pl.concat([before.cluster_ids.unique(), after.cluster_ids.unique()])
    every = pl.DataFrame({"id": names.unique().sort()}).with_row_index("number")

    def number(ids: pl.Series) -> Ints:
        joined = pl.DataFrame({"id": ids}).join(every, on="id", maintain_order="left")
        return joined["number"].cast(pl.Int64).to_numpy()

    sides = tuple(Side(rows.errors, number(rows.cluster_ids)) for rows in (before, after))
    return (sides[0], sides[1]), every.height, len(names) - every.height


def _list_slices(before: AuditRows, after: AuditRows) -> dict[_Key, str]:
    """Return each slice once, and who lists it."""
    listed: dict[_Key, str] = {_key(one): ALONE for one in before.findings}
    for one in after.findings:
        listed[_key(one)] = EITHER if _key(one) in listed else "after"
    return listed


def _key(predicates: Predicates) -> _Key:
    return tuple(sorted((item["attribute"], item["value"]) for item in predicates))


def _test(
    moments: SliceMoments | None, listed: str, before: AuditRows, after: AuditRows
) -> tuple[Change, Change] | None:
    """Test the changes of the error inside and of the gap, given how the slice was picked."""
    if moments is None:
        return None
    gap = moments.gap
    least = {
        "before": _find_least(gap.variance_before, before)
        if listed in ("before", "both")
        else None,
        "after": _find_least(gap.variance_after, after) if listed in ("after", "both") else None,
    }
    rest = {
        "before": moments.error.before - gap.before,
        "after": moments.error.after - gap.after,
    }
    of_error = {name: None if end is None else end + rest[name] for name, end in least.items()}
    return (
        weigh_change(moments.error, least_before=of_error["before"], least_after=of_error["after"]),
        weigh_change(gap, least_before=least["before"], least_after=least["after"]),
    )


def _find_least(variance: float, rows: AuditRows) -> float:
    """Return the gap from which a search lists a slice, by Bonferroni over all that it counted."""
    return float(-special.ndtri(_PICKED / max(rows.counted, 1))) * math.sqrt(variance)


def _describe(
    predicates: Predicates,
    listed: str,
    moments: SliceMoments | None,
    tests: tuple[Change, Change] | None,
    *,
    p_holm: float,
    max_regression: float | None,
) -> dict[str, object]:
    """Return a row of CHANGES."""
    row = {"predicates": predicates, "level": len(predicates), "listed": listed}
    if moments is None or tests is None:
        return dict.fromkeys(CHANGES) | row | {"verdict": NOT_COMPARABLE}
    of_error, of_gap = tests
    return row | {
        "n_before": moments.n_before,
        "n_after": moments.n_after,
        "error_before": moments.error.before,
        "error_after": moments.error.after,
        "change": of_error.value,
        "change_low": of_error.low,
        "change_high": of_error.high,
        "gap_before": moments.gap.before,
        "gap_after": moments.gap.after,
        "gap_change": of_gap.value,
        "gap_change_low": of_gap.low,
        "gap_change_high": of_gap.high,
        "p": of_gap.p,
        "p_holm": p_holm,
        "verdict": _judge(moments.gap, of_gap, listed, p_holm=p_holm),
        "gate": _apply_gate(of_error, max_regression),
    }


def _judge(gap: Moments, change: Change, listed: str, *, p_holm: float) -> str:
    """Return what a change of the gap amounts to."""
    if p_holm < LEVEL and change.value > 0:
        return NEW if listed == "after" else WORSE
    if p_holm < LEVEL and change.value < 0:
        most_left = gap.after + special.ndtri(0.975) * math.sqrt(gap.variance_after)
        return FIXED if listed == ALONE and most_left <= gap.before / 2 else BETTER
    half = max(abs(gap.before), abs(gap.after)) / 2
    return UNCHANGED if -half < change.low and change.high < half else UNCLEAR_CHANGE


def _apply_gate(change: Change, max_regression: float | None) -> str | None:
    """Judge the growth of the error inside a slice by its whole interval, as other gates do."""
    if max_regression is None:
        return None
    if change.low > max_regression:
        return FAIL
    return PASS if change.value <= max_regression else INSUFFICIENT
