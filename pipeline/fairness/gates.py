"""Whether gaps pass the gates that an audit sets: the verdict on each group."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from pipeline.statistics.estimates import estimate_mean, number_clusters
from pipeline.tables import VERDICTS, check
from pipeline.vocabulary import FAIL, INSUFFICIENT, LEVEL, PASS

Verdict = Literal["pass", "fail", "insufficient evidence"]


def judge_gates(
    gaps: pl.DataFrame, *, max_gap: float, min_group: int, attributes: Sequence[str]
) -> pl.DataFrame:
    """Return VERDICTS: the verdict of the gates on each group's error, failures first.

    gaps: the GAPS table. max_gap: largest excess over the complement, in units of the error.
    min_group: samples that a verdict needs. attributes: of the groups that are judged, alone and in
    pairs. A group fails when its excess is above `max_gap` and significant (q < 0.05), so that no
    gate fails by chance; it passes when its excess is at most `max_gap`. A larger excess that is
    not significant, and a group that is too small, are insufficient evidence: neither.
    A smaller error than the complement's passes; the complement's own group then has the excess.
    """
    chosen = set(attributes)
    verdicts = [
        {
            "predicates": row["predicates"],
            **{name: row[name] for name in VERDICTS if name in row},
            "verdict": _judge_group(row, max_gap=max_gap, min_group=min_group),
        }
        for row in gaps.filter(pl.col("metric") == "error").iter_rows(named=True)
        if {one["attribute"] for one in row["predicates"]} <= chosen
    ]
    frame = check(pl.DataFrame(verdicts, schema=dict(VERDICTS)), VERDICTS, table="verdicts")
    order = pl.col("verdict").replace_strict(
        [FAIL, INSUFFICIENT, PASS], [0, 1, 2], return_dtype=pl.Int8
    )
    return frame.sort(order, maintain_order=True)


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
        "verdict": verdict,
    }
    return check(pl.DataFrame([row], schema=dict(VERDICTS)), VERDICTS, table="verdicts")


def _judge_group(row: dict[str, Any], *, max_gap: float, min_group: int) -> Verdict:
    """Judge one group; no q means that it was not tested: it or its complement is too small."""
    if row["n"] < min_group or row["q"] is None or row["difference"] is None:
        return INSUFFICIENT
    if row["difference"] <= max_gap:
        return PASS
    return FAIL if row["q"] < LEVEL else INSUFFICIENT
