"""The rows of the GAPS table: every metric of every group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.arrays import Ints
from pipeline.fairness.adjusted import compare_within_strata
from pipeline.fairness.gap_significance import compare_means
from pipeline.fairness.groups import Column, Group, number_strata
from pipeline.fairness.metrics import Metric, Pair, RowMean
from pipeline.fairness.needed_n import Power
from pipeline.statistics.estimates import NAN, Values, subtract
from pipeline.statistics.p_values import adjust_bh
from pipeline.tables import GAPS, check
from pipeline.vocabulary import GAP, INSUFFICIENT, LEVEL, NO_GAP

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What is asked of every group."""

    errors: RowMean
    metrics: Sequence[Metric]  # besides the error
    covariates: Sequence[Column]
    power: Power
    min_group: int


def tabulate_groups(groups: Iterable[Group], question: Question) -> pl.DataFrame:
    """Return GAPS: by metric, then group, in the order of `groups`."""
    overall = {metric.name: metric.overall for metric in (question.errors, *question.metrics)}
    strata: dict[tuple[str, ...], Ints] = {}
    kinds: dict[str, list[Row]] = {name: [] for name in overall}
    for group in groups:
        pair = question.errors.measure(group)
        row = _describe(group, question.errors, pair, overall["error"])
        row |= _test(group, pair, question)
        row |= _adjust(group, question, strata)
        kinds["error"].append(row)
        for metric in question.metrics:
            other = _describe(group, metric, metric.measure(group), overall[metric.name])
            few = other["n"] < question.min_group
            kinds[metric.name].append(other | {"state": INSUFFICIENT if few else None})
    _set_states(kinds["error"])
    for metric in (question.errors, *question.metrics):
        _compare_to_best(kinds[metric.name], metric, min_group=question.min_group)
    rows = [row for found in kinds.values() for row in found]
    frame = pl.DataFrame(rows, schema=dict(GAPS))
    return check(frame.with_columns(pl.col(pl.Float64).fill_nan(None)), GAPS, table="gaps")


def _describe(group: Group, metric: Metric, pair: Pair, overall: float) -> Row:
    """Compare a group's number with its complement's and that of all rows."""
    own, complement = pair
    difference, ends = subtract(own, complement)
    return {
        "metric": metric.name,
        "predicates": [{"attribute": name, "value": value} for name, value in group.predicates],
        "level": len(group.predicates),
        "n": own.n,
        "value": own.value,
        "ci_low": own.interval[0],
        "ci_high": own.interval[1],
        "rest_value": complement.value,
        "difference": difference,
        "difference_low": ends[0],
        "difference_high": ends[1],
        "ratio": _divide(own.value, complement.value),
        "overall_difference": own.value - overall,
        "overall_ratio": _divide(own.value, overall),
    }


def _divide(value: float, base: float) -> float:
    """Return value / base; NaN where the base is 0 or unknown."""
    return value / base if base > 0 else NAN


def _test(group: Group, pair: Pair, question: Question) -> Row:
    """Test the difference in error where both sides are large enough, else count what is needed."""
    least = question.min_group
    n, complement_n = len(group.members), len(group.complement)
    p = NAN
    if n >= least and complement_n >= least:
        p = compare_means(question.errors.values, group, pair)
    if not np.isnan(p):
        return {"p": p, "needed_n": None}
    # A group of enough samples lacks something else: a complement, or more images.
    needed = None
    if n < least:
        needed = question.power.count_needed(complement_n=complement_n, at_least=least)
    return {"p": NAN, "needed_n": needed}


def _adjust(group: Group, question: Question, strata: dict[tuple[str, ...], Ints]) -> Row:
    """Compare within strata of the covariates that do not define the group itself."""
    chosen = [one for one in question.covariates if one.name not in group.attributes]
    names = tuple(column.name for column in chosen)
    values: Values = question.errors.values
    if not chosen or not len(group.members):
        return {}
    if names not in strata:
        strata[names] = number_strata(chosen, rows=len(values.numbers))
    found = compare_within_strata(values, group, strata[names])
    row: Row = {"compared_share": found.compared_share}
    if len(group.members) < question.min_group:
        return row
    return row | {
        "adjusted_difference": found.difference,
        "adjusted_low": found.interval[0],
        "adjusted_high": found.interval[1],
        "adjusted_p": found.p,
    }


def _set_states(rows: Sequence[Row]) -> None:
    """Correct p over the tested groups and set q and the state of all."""
    tested = [row for row in rows if not np.isnan(row["p"])]
    for row in rows:
        row["state"] = INSUFFICIENT
    for row, q in zip(tested, adjust_bh(np.array([row["p"] for row in tested])), strict=True):
        row["q"] = float(q)
        row["state"] = GAP if q < LEVEL else NO_GAP


def _compare_to_best(rows: Sequence[Row], metric: Metric, *, min_group: int) -> None:
    """Compare each group to the best one of the same attributes that is large enough."""
    best: dict[tuple[str, ...], float] = {}
    choose = min if metric.lower_is_better else max
    keys = [tuple(one["attribute"] for one in row["predicates"]) for row in rows]
    for key, row in zip(keys, rows, strict=True):
        if row["n"] >= min_group and not np.isnan(row["value"]):
            best[key] = choose(best.get(key, row["value"]), row["value"])
    for key, row in zip(keys, rows, strict=True):
        base = best.get(key, NAN)
        row["best_difference"] = row["value"] - base
        row["best_ratio"] = _divide(row["value"], base)


def order_gaps(gaps: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the error, as a person reads them: gaps first, then by size.

    gaps: GAPS with the columns system and labels. Sorted by system; groups by true values before
    those by predicted labels; by state; the largest difference first.
    """
    errors = gaps.filter(pl.col("metric") == "error").with_columns(
        order=pl.col("state").replace_strict({GAP: 0, NO_GAP: 1}, default=2)
    )
    ordered = errors.sort(
        ["system", "labels", "order", "difference"],
        descending=[False, True, False, True],
        nulls_last=True,
    )
    return ordered.drop("order")
