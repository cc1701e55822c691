"""Groups and their gaps to others: the rows of a table, worded and drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.vocabulary import GAP, INSUFFICIENT, NO_GAP
from reports.parts.charts import Scale, draw_interval
from reports.parts.numbers import format_count, format_number, format_percent, format_probability
from reports.parts.words import ErrorWords, Predicates
from reports.views.corrections import is_corrected

Row = Mapping[str, Any]  # of the GAPS table
SHOWN_GROUPS = 12  # rows of a table before others fold away
LISTED_GROUPS = 200  # rows of a table at all; the page says how many more there are
EMPTY = "empty"
STATES = (GAP, NO_GAP, INSUFFICIENT, EMPTY)


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
    precision: str  # of the labels of its value, where that is known
    n: str
    value: str
    interval: str
    chart: Markup
    complement: str
    corrected: Gap  # its error corrected for wrong labels; the note: why there are bounds or none
    corrected_chart: Markup  # on the scale of the chart as labelled
    corrected_difference: Gap
    difference: Gap
    adjusted: Gap
    ratio: str
    best: Gap
    overall: Gap
    q: str
    state: str
    state_words: str
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
class GroupContext:
    """What all rows of a system share.

    overall: the mean error over all samples. precision: by attribute and value, that of its
    labels. adjusted: whether the differences were adjusted for covariates too.
    """

    words: ErrorWords
    scale: Scale
    overall: float | None
    precision: Mapping[tuple[str, str], str]
    adjusted: bool


def name_state(row: Row) -> str:
    """Return the state of a group; a group without samples is empty."""
    return EMPTY if not row["n"] else str(row["state"])


def order_group(row: Row) -> tuple[object, ...]:
    """Return a key that puts gaps first, and in each state the largest difference first."""
    state = name_state(row)
    place = STATES.index(state) if state in STATES else len(STATES)
    difference = row["difference"]
    known = difference is not None and difference == difference
    names = [(item["attribute"], item["value"]) for item in row["predicates"]]
    return (row["level"], place, -difference if known else float("inf"), names)


def view_groups(title: str, rows: Sequence[Row], context: GroupContext) -> GroupTable:
    """Return the table of `rows` in their order, the later ones folded away."""
    views = [view_group(row, context) for row in rows[:LISTED_GROUPS]]
    more = len(rows) - len(views)
    return GroupTable(
        title=title,
        shown=views[:SHOWN_GROUPS],
        folded=views[SHOWN_GROUPS:],
        left_out=format_count(more) if more else "",
    )


def view_group(row: Row, context: GroupContext) -> GroupView:
    """Word and draw one group."""
    words = context.words
    state = name_state(row)
    favored = state == GAP and (row["difference"] or 0) < 0
    needed = row["needed_n"] if state in (INSUFFICIENT, EMPTY) else None
    corrected = is_corrected(row)
    known = [context.precision.get((p["attribute"], p["value"])) for p in row["predicates"]]
    return GroupView(
        predicates=row["predicates"],
        precision=known[0] or "" if len(known) == 1 else "",
        n=format_count(row["n"] or 0),
        value=words.write_value(row["value"]),
        interval=_write_interval(row, ("ci_low", "ci_high"), words.write_range),
        chart=draw_interval(
            row["value"], row["ci_low"], row["ci_high"], context.scale, mark=context.overall
        ),
        complement=words.write_value(row["rest_value"]),
        corrected=_view_corrected(row, words),
        corrected_chart=_chart_corrected(row, context) if corrected else Markup(),
        corrected_difference=Gap(
            words.write_signed(row["corrected_difference"]),
            _write_interval(
                row, ("corrected_difference_low", "corrected_difference_high"), words.write_bounds
            ),
        )
        if corrected
        else Gap(""),
        difference=Gap(
            words.write_signed(row["difference"]),
            _write_interval(row, ("difference_low", "difference_high"), words.write_bounds),
        ),
        adjusted=_view_adjusted(row, words) if context.adjusted else Gap(""),
        ratio=_write_ratio(row["ratio"]) or format_number(None),
        best=_view_gap_to(row, "best", words),
        overall=_view_gap_to(row, "overall", words),
        q=format_probability(row["q"]),
        state=state,
        state_words=words.text.say(f"{state} in its favor" if favored else state),
        kind="favored" if favored else state,
        needed=words.text.say("about {n} samples would do", n=format_count(needed))
        if needed
        else "",
    )


def _chart_corrected(row: Row, context: GroupContext) -> Markup:
    ends = (row["corrected_low"], row["corrected_high"])
    return draw_interval(
        row["corrected_value"], *ends, context.scale, mark=context.overall, kind="corrected"
    )


def _view_corrected(row: Row, words: ErrorWords) -> Gap:
    """Write the corrected error, or of bounds their ends alone, and why it is no more than that."""
    note = row["correction_note"] or ""
    if not is_corrected(row):
        return Gap("", note=note)
    interval = _write_interval(row, ("corrected_low", "corrected_high"), words.write_range)
    value = row["corrected_value"]
    if value is None:
        return Gap("", interval, note)
    return Gap(words.write_value(value), interval)


def _view_adjusted(row: Row, words: ErrorWords) -> Gap:
    """Write the adjusted difference and how much of the group it compares."""
    share = row["compared_share"]
    return Gap(
        words.write_signed(row["adjusted_difference"]),
        _write_interval(row, ("adjusted_low", "adjusted_high"), words.write_bounds),
        "" if share is None else words.text.say("{share} compared", share=format_percent(share)),
    )


def _view_gap_to(row: Row, base: str, words: ErrorWords) -> Gap:
    difference = row[f"{base}_difference"]
    if base == "best" and difference == 0:
        return Gap(words.text.say("best"))
    return Gap(words.write_signed(difference), note=_write_ratio(row[f"{base}_ratio"]))


def _write_ratio(ratio: float | None) -> str:
    """Write "5.42x"; nothing for a ratio that does not exist."""
    if ratio is None or ratio != ratio:
        return ""
    return f"{format_number(ratio)}\N{MULTIPLICATION SIGN}"


def _write_interval(
    row: Row, names: tuple[str, str], write: Callable[[float | None, float | None], str]
) -> str:
    low, high = (row[name] for name in names)
    return "" if low is None and high is None else write(low, high)
