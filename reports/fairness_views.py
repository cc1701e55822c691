"""Groups of one system compared, worded and drawn for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from reports.charts import Scale, draw_interval, make_scale
from reports.data import FairnessReport, ReportData
from reports.gate_views import GateView, view_gates
from reports.numbers import format_count, format_number, format_percent, format_probability
from reports.rate_views import DisparityView, RateTable, view_disparities, view_rates
from reports.words import GROUP_SOURCES, ErrorWords, Predicates

Row = Mapping[str, Any]
SHOWN_GROUPS = 12  # rows of a table before the rest folds away
LISTED_GROUPS = 200  # rows of a table at all; how many more there are is said
GAP, NO_GAP, INSUFFICIENT, EMPTY = "gap", "no gap shown", "insufficient evidence", "empty"
_STATE_ORDER = (GAP, NO_GAP, INSUFFICIENT, EMPTY)
_COUNTED = {GAP: "with a gap", NO_GAP: "with no gap shown", INSUFFICIENT: "with " + INSUFFICIENT}


@dataclass(frozen=True)
class Gap:
    """A difference to other samples with its interval; texts, empty where there is none."""

    value: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class GroupView:
    """One row of the table of groups."""

    predicates: Predicates
    trust: str  # how many labels of its value are right, where that is known
    n: str
    value: str
    interval: str
    chart: Markup
    rest: str
    difference: Gap
    adjusted: Gap
    ratio: str
    best: Gap
    overall: Gap
    q: str
    state: str
    kind: str  # of its badge: a gap in the group's favor looks quieter
    needed: str


@dataclass(frozen=True)
class GroupTable:
    """The groups of one level: shown, folded away, and how many were left out of both."""

    title: str
    shown: list[GroupView]
    folded: list[GroupView]
    left_out: str


@dataclass(frozen=True)
class FairnessView:
    """One system by one source of labels."""

    anchor: str
    system: str
    source_words: str
    noisy: bool  # whether some labels are wrong
    words: ErrorWords
    gates: GateView | None
    counts: list[str]  # "6 with a gap", ...; none of no groups
    worst: list[GroupView]  # those with a gap that fare worse, worst first, at most three
    overall: str
    adjusted: str  # the covariates, "" without
    tables: list[GroupTable]
    rates: list[RateTable]
    disparities: list[DisparityView]
    notes: tuple[str, ...]
    perceived: bool


def view_fairness(data: ReportData) -> list[FairnessView]:
    """Return one view for each system and source of labels; true attributes before predicted."""
    order = {system.name: index for index, system in enumerate(data.systems)}
    reports = sorted(
        data.fairness,
        key=lambda report: (order.get(report.system, len(order)), report.labels != "truth"),
    )
    return [
        _view_report(report, data, anchor=f"fairness-{index}")
        for index, report in enumerate(reports, 1)
    ]


def _view_report(report: FairnessReport, data: ReportData, *, anchor: str) -> FairnessView:
    words = ErrorWords(report.metric, _is_share(report, data))
    errors = report.gaps.filter(pl.col("metric") == "error")
    rows = sorted(errors.to_dicts(), key=_order_group)
    overall = _find_overall(rows)
    scale = make_scale(
        [*(row[name] for row in rows for name in ("value", "ci_low", "ci_high")), overall]
    )
    trust = _read_trust(report, data)
    adjusted = bool(report.adjust_for)
    tables = []
    for level, title in ((1, "Groups"), (2, "Pairs of groups")):
        group = [row for row in rows if row["level"] == level]
        if group:
            tables.append(_view_groups(title, group, words, scale, overall, trust, adjusted))
    noisy = _is_noisy(report, data)
    known = "truth" if report.labels == "truth" else "given"
    worse = [row for row in rows if _name_state(row) == GAP and (row["difference"] or 0) > 0]
    worse.sort(key=lambda row: -row["difference"])
    return FairnessView(
        anchor=anchor,
        system=report.system,
        source_words=GROUP_SOURCES["predicted" if noisy else known],
        noisy=noisy,
        words=words,
        gates=view_gates(report, words),
        counts=_count_states(rows),
        worst=[_view_group(row, words, scale, overall, trust, adjusted) for row in worse[:3]],
        overall="" if overall is None else words.write(overall),
        adjusted=" and ".join(report.adjust_for),
        tables=tables,
        rates=view_rates(report.gaps),
        disparities=view_disparities(report.disparities),
        notes=report.notes,
        perceived=report.perceived,
    )


def _is_share(report: FairnessReport, data: ReportData) -> bool:
    """Say whether errors read as percentages: as the system says, else when all means can."""
    for system in data.systems:
        if system.name == report.system:
            return system.share
    values = report.gaps.filter(pl.col("metric") == "error")["value"].drop_nulls()
    return bool(values.is_between(0, 1).all())


def _is_noisy(report: FairnessReport, data: ReportData) -> bool:
    """Say whether a model made the labels; given and measured ones are taken as they are."""
    if report.labels == "truth":
        return False
    sources = {attribute.name: attribute.source for attribute in data.attributes}
    return any(sources.get(name) not in ("given", "measured") for name in report.attributes)


def _name_state(row: Row) -> str:
    return EMPTY if not row["n"] else str(row["state"])


def _order_group(row: Row) -> tuple[object, ...]:
    """Order gaps before the rest, in each state the largest difference first."""
    state = _name_state(row)
    place = _STATE_ORDER.index(state) if state in _STATE_ORDER else len(_STATE_ORDER)
    difference = row["difference"]
    known = difference is not None and difference == difference
    names = [(item["attribute"], item["value"]) for item in row["predicates"]]
    return (row["level"], place, -difference if known else float("inf"), names)


def _find_overall(rows: Sequence[Row]) -> float | None:
    """Return the mean over all samples, which each judged group tells."""
    for row in rows:
        if row["value"] is not None and row["overall_difference"] is not None:
            return float(row["value"] - row["overall_difference"])
    return None


def _count_states(rows: Sequence[Row]) -> list[str]:
    states = [_name_state(row) for row in rows]
    return [
        f"{format_count(states.count(state))} {_COUNTED.get(state, state)}"
        for state in _STATE_ORDER
        if state in states
    ]


def _read_trust(report: FairnessReport, data: ReportData) -> dict[tuple[str, str], str]:
    """Return by attribute and value how many predicted labels are right, where known."""
    if report.labels == "truth" or data.value_quality is None:
        return {}
    return {
        (row["attribute"], row["value"]): format_percent(row["precision"])
        for row in data.value_quality.drop_nulls("precision").to_dicts()
    }


def _view_groups(
    title: str,
    rows: Sequence[Row],
    words: ErrorWords,
    scale: Scale,
    overall: float | None,
    trust: Mapping[tuple[str, str], str],
    adjusted: bool,  # noqa: FBT001 - private, passed through
) -> GroupTable:
    views = [
        _view_group(row, words, scale, overall, trust, adjusted) for row in rows[:LISTED_GROUPS]
    ]
    more = len(rows) - len(views)
    return GroupTable(
        title=title,
        shown=views[:SHOWN_GROUPS],
        folded=views[SHOWN_GROUPS:],
        left_out=format_count(more) if more else "",
    )


def _view_group(
    row: Row,
    words: ErrorWords,
    scale: Scale,
    overall: float | None,
    trust: Mapping[tuple[str, str], str],
    adjusted: bool,  # noqa: FBT001 - private, passed through
) -> GroupView:
    state = _name_state(row)
    favored = state == GAP and (row["difference"] or 0) < 0
    needed = row["needed_n"]
    known = [trust.get((item["attribute"], item["value"])) for item in row["predicates"]]
    return GroupView(
        predicates=row["predicates"],
        trust=known[0] or "" if len(known) == 1 else "",
        n=format_count(row["n"] or 0),
        value=words.write_value(row["value"]),
        interval=_write_interval(row, ("ci_low", "ci_high"), words.write_value),
        chart=draw_interval(row["value"], row["ci_low"], row["ci_high"], scale, mark=overall),
        rest=words.write_value(row["rest_value"]),
        difference=Gap(
            words.write_signed(row["difference"]),
            _write_interval(row, ("difference_low", "difference_high"), words.write_bound),
        ),
        adjusted=_view_adjusted(row, words) if adjusted else Gap(""),
        ratio=_write_ratio(row["ratio"]),
        best=_view_against(row, "best", words),
        overall=_view_against(row, "overall", words),
        q=format_probability(row["q"]),
        state=state + " in its favor" if favored else state,
        kind="favored" if favored else state,
        needed=f"about {format_count(needed)} samples would do"
        if state in (INSUFFICIENT, EMPTY) and needed
        else "",
    )


def _view_adjusted(row: Row, words: ErrorWords) -> Gap:
    """Write the adjusted difference and how much of the group it compares."""
    share = row["compared_share"]
    return Gap(
        words.write_signed(row["adjusted_difference"]),
        _write_interval(row, ("adjusted_low", "adjusted_high"), words.write_bound),
        "" if share is None else f"{format_percent(share)} compared",
    )


def _view_against(row: Row, whom: str, words: ErrorWords) -> Gap:
    difference = row[f"{whom}_difference"]
    if whom == "best" and difference == 0:
        return Gap("best")
    return Gap(words.write_signed(difference), note=_write_ratio(row[f"{whom}_ratio"], bare=""))


def _write_ratio(ratio: float | None, *, bare: str | None = None) -> str:
    """Write "5.42x"; a ratio that does not exist as `bare`."""
    if ratio is None or ratio != ratio:
        return format_number(None) if bare is None else bare
    return f"{format_number(ratio)}\N{MULTIPLICATION SIGN}"


def _write_interval(row: Row, names: tuple[str, str], write: Any) -> str:  # noqa: ANN401 - a method
    low, high = (row[name] for name in names)
    return "" if low is None and high is None else f"{write(low)} to {write(high)}"
