"""The page of two runs side by side: what is new, worse, better or fixed."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from pipeline.tables import check
from pipeline.tables.comparison_tables import CHANGES
from reports.parts.charts import Scale, draw_interval, make_scale
from reports.parts.numbers import MINUS, format_number, format_percent, format_probability
from reports.parts.templates import render_page
from reports.parts.words import enumerate_words

# A sign beside each state, so that none is known by its color alone; order: most urgent first.
SIGNS = {
    "new": "\N{BLACK UP-POINTING TRIANGLE}",
    "worse": "\N{BLACK UP-POINTING TRIANGLE}",
    "unclear": "?",
    "unchanged": "=",
    "better": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "fixed": "\N{CHECK MARK}",
    "not comparable": "\N{EN DASH}",
}
MEANINGS = {
    "new": "Only the second run lists it, and its gap to the rest has grown; its error may have "
    "fallen all the same, if less than elsewhere.",
    "worse": "The first run listed it already, and its gap has grown.",
    "unclear": "Its gap may have changed or not: these samples are too few to say.",
    "unchanged": "Its gap is what it was, give or take less than half of it.",
    "better": "Its gap has become smaller.",
    "fixed": "Its gap has become smaller, and at most half of it can be left.",
    "not comparable": "One of the runs has no such values, or no sample with them.",
}


@dataclass(frozen=True)
class ComparedAudit:
    """One of the two runs: audit and system, id and start, samples with an error, notes."""

    name: str
    system: str
    run_id: str
    started_at: str
    n: int
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ComparisonData:
    """What the page shows.

    change: of the mean error of all samples, with the ends of its 95 % interval. share: whether
    means are written as percentages. changes: CHANGES. gate: its verdict, None without one.
    """

    before: ComparedAudit
    after: ComparedAudit
    shared_images: int
    error_before: float
    error_after: float
    change: tuple[float, float, float]
    share: bool
    changes: pl.DataFrame
    gate: str | None


@dataclass(frozen=True)
class _Row:
    """One slice: its gaps before and after, their change, and what that amounts to."""

    predicates: list[dict[str, str]]
    listed: str
    n: str
    before: str
    after: str
    gap_before: str
    gap_after: str
    change: str
    interval: str
    chart: Markup
    p: str
    state: str
    sign: str
    gate: str


def build_comparison(data: ComparisonData) -> str:
    """Return one self-contained HTML page without scripts; raises TableError for other columns."""
    changes = check(data.changes, CHANGES, table="changes").to_dicts()
    ends = ("gap_change", "gap_change_low", "gap_change_high")
    scale = make_scale(row[name] for row in changes for name in ends)
    counted = Counter(row["verdict"] for row in changes)
    change, low, high = data.change
    write = format_percent if data.share else format_number
    return render_page(
        "comparison.html",
        title=f"{data.before.name}: two runs compared",
        data=data,
        verdict=_sum_up(counted),
        error_before=write(data.error_before),
        error_after=write(data.error_after),
        change=_write_signed(change, share=data.share),
        interval=_write_interval(low, high, share=data.share),
        points=" points" if data.share else "",
        rows=[_view(row, scale, share=data.share) for row in changes],
        meanings=[(state, SIGNS[state], MEANINGS[state]) for state in SIGNS if state in counted],
    )


def _sum_up(counted: Mapping[str, int]) -> str:
    """Write what changed: "2 slices are fixed, 1 is worse and 3 are unchanged"."""
    if not counted:
        return "Neither run has a finding, so there is no slice to compare."
    total = sum(counted.values())
    if total == 1:
        return f"The one slice that either run lists is {next(iter(counted))}."
    parts = [
        f"{counted[state]} {'is' if counted[state] == 1 else 'are'} {state}"
        for state in SIGNS
        if counted.get(state)
    ]
    return f"Of the {total} slices that either run lists, {enumerate_words(parts)}."


def _view(row: Mapping[str, Any], scale: Scale, *, share: bool) -> _Row:
    write = format_percent if share else format_number
    change, low, high = (row[f"gap_change{end}"] for end in ("", "_low", "_high"))
    interval = _write_interval(low, high, share=share)
    return _Row(
        predicates=row["predicates"],
        listed={"before": "first run", "after": "second run", "both": "both runs"}[row["listed"]],
        n="" if row["n_before"] is None else _write_counts(row["n_before"], row["n_after"]),
        before=write(row["error_before"]),
        after=write(row["error_after"]),
        gap_before=_write_signed(row["gap_before"], share=share),
        gap_after=_write_signed(row["gap_after"], share=share),
        change=_write_signed(change, share=share),
        interval=interval,
        chart=draw_interval(change, low, high, scale, label=f"Change of the gap, {interval}"),
        p=format_probability(row["p_holm"]),
        state=row["verdict"],
        sign=SIGNS[row["verdict"]],
        gate=row["gate"] or "",
    )


def _write_counts(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,}, then {after:,}"


def _write_signed(value: float | None, *, share: bool) -> str:
    if value is None:
        return format_number(None)
    text = _write_plain(value, share=share)
    return text if value < 0 or text.startswith(MINUS) else f"+{text}"


def _write_interval(low: float | None, high: float | None, *, share: bool) -> str:
    if low is None or high is None:
        return ""
    return f"{_write_signed(low, share=share)} to {_write_signed(high, share=share)}"


def _write_plain(value: float, *, share: bool) -> str:
    if share and math.isfinite(value):
        return f"{100 * value:.1f}".replace("-", MINUS)
    return format_number(value)
