"""Whether gaps pass the gates that an audit sets: the verdict on each group."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.tables import VERDICTS, check
from pipeline.vocabulary import BOUNDS, FAIL, INSUFFICIENT, LEVEL, NOT_JUDGED, PASS, UNCORRECTED

Verdict = Literal["pass", "fail", "insufficient evidence", "not judged: labels unchecked"]
Row = dict[str, Any]
_WIDER = 2.0  # times; a corrected interval that is wider shows what wrong labels leave open


def judge_gates(
    gaps: pl.DataFrame,
    *,
    max_gap: float,
    min_group: int,
    attributes: Sequence[str],
    judge_unchecked: bool = False,
) -> pl.DataFrame:
    """Return VERDICTS: the verdict of the gates on each group's error, failures first.

    gaps: the GAPS table. max_gap: largest excess over the complement, in units of the error.
    min_group: samples that a verdict needs. attributes: of the groups that are judged, alone and in
    pairs. A group fails when its excess is above `max_gap` and significant (q < 0.05), so that no
    gate fails by chance; it passes when its excess is at most `max_gap`. A larger excess that is
    not significant, and a group that is too small, are insufficient evidence: neither.
    A smaller error than the complement's passes; the complement's own group then has the excess.

    Groups by labels of a model are judged by the corrected excess, significant where its interval
    is above 0; of bounds the end decides that speaks against the verdict. No group passes where
    wrong labels leave more open than the size of the sample: where the corrected interval reaches
    above `max_gap` and is more than twice as wide as the one by labels. Where nothing is known of
    the labels a group is not judged, or with `judge_unchecked` as if they were right.
    """
    chosen = set(attributes)
    verdicts = [
        _judge(row, max_gap=max_gap, min_group=min_group, judge_unchecked=judge_unchecked)
        for row in gaps.filter(pl.col("metric") == "error").iter_rows(named=True)
        if {one["attribute"] for one in row["predicates"]} <= chosen
    ]
    frame = check(pl.DataFrame(verdicts, schema=dict(VERDICTS)), VERDICTS, table="verdicts")
    order = pl.col("verdict").replace_strict(
        [FAIL, NOT_JUDGED, INSUFFICIENT, PASS], [0, 1, 2, 3], return_dtype=pl.Int8
    )
    return frame.sort(order, maintain_order=True)


def _judge(row: Row, *, max_gap: float, min_group: int, judge_unchecked: bool) -> Row:
    """Return the row of VERDICTS of a group, with the difference that was judged."""
    judged = {name: row[name] for name in VERDICTS if name in row}
    if row["correction"] == UNCORRECTED and not judge_unchecked:
        return {**judged, "corrected": False, "verdict": NOT_JUDGED}
    if row["correction"] in (None, UNCORRECTED):
        verdict = _judge_group(row, max_gap=max_gap, min_group=min_group)
        return {**judged, "corrected": False, "verdict": verdict}
    corrected = {
        name: row[f"corrected_{name}"]
        for name in ("difference", "difference_low", "difference_high")
    }
    few = row["n"] < min_group
    verdict = INSUFFICIENT if few else _judge_corrected(row, max_gap=max_gap)
    return {**judged, **corrected, "corrected": True, "verdict": verdict}


def judge_error(
    errors: pl.Series, cluster_ids: pl.Series, *, max_error: float, min_samples: int
) -> pl.DataFrame:
    """Return VERDICTS with one row without predicates: the verdict on the mean error.

    errors: (n,) of all samples, cluster_ids: (n,) the image of each. max_error: the largest mean,
    in units of the error; `difference` is the mean minus that, with its 95 % interval. The gate
    fails when the mean is above `max_error` with its whole interval, and passes when it is at most
    `max_error`; a larger mean whose interval reaches down to it, and fewer samples than
    `min_samples`, are insufficient evidence.
    """
    values = number_clusters(errors.to_numpy(), cluster_ids)
    mean = estimate_mean(values, np.arange(len(errors)))
    low, high = (None if np.isnan(end) else end - max_error for end in mean.interval)
    verdict: Verdict = FAIL if low is not None and low > 0 else INSUFFICIENT
    if mean.n < min_samples:
        verdict = INSUFFICIENT
    elif mean.value <= max_error:
        verdict = PASS
    row = {
        "predicates": [],
        "n": mean.n,
        "difference": mean.value - max_error if mean.n else None,
        "difference_low": low,
        "difference_high": high,
        "q": None,
        "corrected": False,
        "verdict": verdict,
    }
    return check(pl.DataFrame([row], schema=dict(VERDICTS)), VERDICTS, table="verdicts")


def _judge_corrected(row: Row, *, max_gap: float) -> Verdict:
    """Judge one group by its corrected difference; no interval means that there is none."""
    ends = ("corrected_difference", "corrected_difference_low", "corrected_difference_high")
    value, low, high = (row[name] for name in ends)
    if low is None or high is None:
        return INSUFFICIENT
    if value is None or row["correction"] == BOUNDS:
        return FAIL if low > max_gap else PASS if high <= max_gap else INSUFFICIENT
    if value > max_gap:
        return FAIL if low > 0 else INSUFFICIENT
    return PASS if high <= max_gap or high - low <= _WIDER * _measure_width(row) else INSUFFICIENT


def _measure_width(row: Row) -> float:
    """Return the width of the interval by labels, 0 where there is none."""
    low, high = row["difference_low"], row["difference_high"]
    return 0.0 if low is None or high is None else float(high - low)


def _judge_group(row: Row, *, max_gap: float, min_group: int) -> Verdict:
    """Judge one group; no q means that it was not tested: it or its complement is too small."""
    if row["n"] < min_group or row["q"] is None or row["difference"] is None:
        return INSUFFICIENT
    if row["difference"] <= max_gap:
        return PASS
    return FAIL if row["q"] < LEVEL else INSUFFICIENT
