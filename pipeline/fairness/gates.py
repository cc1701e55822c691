"""Whether gaps pass the gates that an audit sets."""

from collections.abc import Sequence
from typing import Any, Literal

import polars as pl

from pipeline.tables import VERDICTS, check
from pipeline.vocabulary import FAIL, INSUFFICIENT, LEVEL, PASS

Verdict = Literal["pass", "fail", "insufficient evidence"]


def judge_gates(
    gaps: pl.DataFrame, *, max_gap: float, min_group: int, attributes: Sequence[str]
) -> pl.DataFrame:
    """Return VERDICTS: what the gates say of each group's error, those that fail first.

    gaps: the GAPS table. max_gap: largest excess over the rest, in units of the error. min_group:
    samples that a verdict needs. attributes: of the groups that are judged, alone and in pairs.
    A group fails when its excess is above `max_gap` and is no accident (q < 0.05), so that a gate
    does not turn red by chance; it passes when its excess is at most `max_gap`. A larger excess
    that may be an accident, and a group that is too small, are insufficient evidence: neither.
    A smaller error than the rest's passes; the rest then shows the excess.
    """
    chosen = set(attributes)
    verdicts = [
        {
            "predicates": row["predicates"],
            **{name: row[name] for name in VERDICTS if name in row},
            "verdict": _judge(row, max_gap=max_gap, min_group=min_group),
        }
        for row in gaps.filter(pl.col("metric") == "error").iter_rows(named=True)
        if {one["attribute"] for one in row["predicates"]} <= chosen
    ]
    frame = check(pl.DataFrame(verdicts, schema=dict(VERDICTS)), VERDICTS, table="verdicts")
    order = pl.col("verdict").replace_strict(
        [FAIL, INSUFFICIENT, PASS], [0, 1, 2], return_dtype=pl.Int8
    )
    return frame.sort(order, maintain_order=True)


def sum_up_verdicts(verdicts: pl.DataFrame, *, min_group: int = 0) -> Verdict:
    """Return "fail" if a group fails, "pass" if all that had to be judged pass, else neither.

    A value too rare to judge, or an excess that may be an accident, is no pass.
    """
    if (verdicts["verdict"] == FAIL).any():
        return FAIL
    passes = choose_decisive(verdicts, min_group=min_group)["verdict"] == PASS
    return PASS if len(passes) and passes.all() else INSUFFICIENT


def choose_decisive(verdicts: pl.DataFrame, *, min_group: int = 0) -> pl.DataFrame:
    """Return the groups that had to be judged: some pair of values is always rare, and may be.

    These are every value of a single attribute, and of pairs those that are large enough, for the
    gates (`min_group`) and for a test.
    """
    single = pl.col("predicates").list.len() == 1
    large = pl.col("n").fill_null(0) >= min_group
    return verdicts.filter(single | (pl.col("q").is_not_null() & large))


def _judge(row: dict[str, Any], *, max_gap: float, min_group: int) -> Verdict:
    """Judge one group; without q it was not tested, for lack of samples here or in its rest."""
    if row["n"] < min_group or row["q"] is None or row["difference"] is None:
        return INSUFFICIENT
    if row["difference"] <= max_gap:
        return PASS
    return FAIL if row["q"] < LEVEL else INSUFFICIENT
