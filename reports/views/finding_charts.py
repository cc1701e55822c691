"""The chart of a finding: its error and elsewhere, their difference, and what corrections say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.models import SystemReport
from reports.parts.charts import Scale, draw_bar, draw_interval, make_scale
from reports.parts.words import ErrorWords
from reports.views.corrections import is_corrected

Row = Mapping[str, Any]
_GAPS = (
    "difference", "ci_low", "ci_high", "holdout_ci_low", "holdout_ci_high",
    "corrected_difference", "corrected_difference_low", "corrected_difference_high",
)  # fmt: skip


@dataclass(frozen=True)
class ChartRow:
    """One line of a finding's chart: what it is, its picture, its number."""

    label: str
    chart: Markup
    value: str
    note: str = ""


def scale_findings(rows: Sequence[Row], system: SystemReport, words: ErrorWords) -> Scale:
    """Return one scale for all cards of a system, so that they can be compared by eye."""
    means = [words.turn(row[name]) for row in rows for name in ("error", "rest_error")]
    more = ("holdout_error", "corrected_error", "corrected_low", "corrected_high")
    means += [words.turn(row[name]) for row in rows for name in more]
    gaps = [_turn_gap(row[name], words) for row in rows for name in _GAPS]
    return make_scale([*means, *gaps, words.turn(system.overall_error)])


def _turn_gap(difference: float | None, words: ErrorWords) -> float | None:
    return -difference if words.success and difference is not None else difference


def chart_finding(
    row: Row, words: ErrorWords, scale: Scale, overall: float | None
) -> list[ChartRow]:
    """Draw slice, complement and their difference, each corrected beside it where that is known.

    The held-out half too where there is one.
    """
    corrected = is_corrected(row)
    lines = [
        _chart_mean(words.text.say("This slice"), row, "error", "slice", words, scale, overall)
    ]
    if corrected:
        lines.append(_chart_corrected(row, words, scale, overall))
    lines.append(
        _chart_mean(words.text.say("Elsewhere"), row, "rest_error", "rest", words, scale, overall)
    )
    ends = (row["ci_low"], row["ci_high"])
    lines.append(_chart_gap(words.text.say("Difference"), row["difference"], *ends, words, scale))
    if corrected:
        low, high = row["corrected_difference_low"], row["corrected_difference_high"]
        gap = row["corrected_difference"]
        name = words.text.say("Difference, corrected")
        lines.append(_chart_gap(name, gap, low, high, words, scale, kind="corrected"))
    held, complement = row["holdout_error"], row["holdout_rest_error"]
    if held is not None and complement is not None:
        ends = (row["holdout_ci_low"], row["holdout_ci_high"])
        lines.append(
            _chart_gap(
                words.text.say("Held-out difference"), held - complement, *ends, words, scale
            )
        )
    return lines


def _chart_mean(
    label: str, row: Row, column: str, kind: str, words: ErrorWords, scale: Scale,
    overall: float | None,
) -> ChartRow:  # fmt: skip
    bar = draw_bar(words.turn(row[column]), scale, kind=kind, mark=overall)
    return ChartRow(label, bar, words.write_value(row[column]))


def _chart_corrected(row: Row, words: ErrorWords, scale: Scale, overall: float | None) -> ChartRow:
    """Draw the mean error of the samples that truly belong to the slice."""
    low, high = row["corrected_low"], row["corrected_high"]
    if words.success:
        low, high = high, low
    note = words.write_range(low, high) if low is not None else ""
    name = words.text.say("This slice, corrected")
    value = words.write_value(row["corrected_error"])
    chart = draw_interval(
        words.turn(row["corrected_error"]), words.turn(low), words.turn(high), scale,
        label=_speak(name, value, note, words),
        mark=overall, kind="corrected",
    )  # fmt: skip
    return ChartRow(name, chart, value, note)


def _speak(name: str, value: str, interval: str, words: ErrorWords) -> str:
    """Say in place of the picture what it shows."""
    if not interval:
        return f"{name} {value}"
    return words.text.say(
        "{name} {value}, 95 percent interval {interval}", name=name, value=value, interval=interval
    )


def _chart_gap(
    label: str,
    gap: float | None,
    low: float | None,
    high: float | None,
    words: ErrorWords,
    scale: Scale,
    *,
    kind: str = "",
) -> ChartRow:
    if words.success:
        low, high = high, low  # success is 1 - error: the ends change places
    ends = (_turn_gap(low, words), _turn_gap(high, words))
    value = words.write_difference(gap)
    note = words.write_bounds(low, high) if low is not None or high is not None else ""
    spoken = _speak(label, value, note, words)
    chart = draw_interval(_turn_gap(gap, words), *ends, scale, label=spoken, kind=kind)
    return ChartRow(label, chart, value, note)
