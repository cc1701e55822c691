"""How a finding changes with the score threshold: a curve, drawn as SVG like the charts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from reports.parts.numbers import format_number
from reports.parts.words import ErrorWords

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)  # tops of an axis, times a power of ten


@dataclass(frozen=True)
class SweepView:
    """One curve: picture, what is read aloud, tick labels top to bottom and left to right."""

    chart: Markup
    label: str
    heights: list[str]
    thresholds: list[str]
    rows: list[tuple[str, str, str]]  # threshold, slice, elsewhere


def view_sweep(sweep: pl.DataFrame | None, words: ErrorWords) -> SweepView | None:
    """Return the curve of a finding; None where fewer than two thresholds have an error.

    sweep: a SWEEP frame. Thresholds without an error in the slice leave a point out.
    """
    if sweep is None:
        return None
    known = sweep.filter(pl.col("threshold").is_finite() & pl.col("error").is_finite())
    points = known.sort("threshold").to_dicts()
    thresholds = [row["threshold"] for row in points]
    if len(set(thresholds)) < 2 or not math.isfinite(thresholds[-1] - thresholds[0]):
        return None
    lines = {
        "slice": [words.turn(row["error"]) for row in points],
        "rest": [words.turn(row["rest_error"]) for row in points],
    }
    top = _find_top([value for line in lines.values() for value in line if _is_finite(value)])
    low, high = thresholds[0], thresholds[-1]
    places = [100 * ((value - low) / (high - low)) for value in thresholds]
    shapes = [_draw_grid(y) for y in (0, 50, 100)]
    shapes += [_draw_line(places, lines[kind], top, kind) for kind in ("rest", "slice")]
    label = _say_ends(points, words)
    opening = Markup(
        '<svg class="curve" role="img" aria-label="{}" viewBox="0 0 100 100" '
        'preserveAspectRatio="none">'
    ).format(label)
    ticks = [words.turn(top * share) for share in (1, 0.5, 0)]  # turned back when written
    return SweepView(
        chart=opening + Markup("").join(shapes) + Markup("</svg>"),
        label=label,
        heights=[words.write_value(tick) for tick in ticks],
        thresholds=[format_number(value) for value in (low, (low + high) / 2, high)],
        rows=[
            (
                format_number(row["threshold"]),
                words.write_value(row["error"]),
                words.write_value(row["rest_error"]),
            )
            for row in points
        ],
    )


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _find_top(values: Sequence[float | None]) -> float:
    """Return a round number that no value exceeds, 1 when all are zero."""
    largest = max((value for value in values if value is not None), default=0.0)
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next((step * power for step in _STEPS if step * power >= largest), largest)


def _draw_grid(y: int) -> Markup:
    return Markup('<line class="axis" x1="0" x2="100" y1="{0}" y2="{0}"/>').format(y)


def _draw_line(
    places: Sequence[float], values: Sequence[float | None], top: float, kind: str
) -> Markup:
    points = " ".join(
        f"{x:.2f},{100 - 100 * min(1.0, max(0.0, value / top)):.2f}"
        for x, value in zip(places, values, strict=True)
        if value is not None and math.isfinite(value)
    )
    return Markup('<polyline class="{}" points="{}"/>').format(kind, points)


def _say_ends(points: Sequence[dict[str, float | None]], words: ErrorWords) -> str:
    """Say the curve at its lowest and highest threshold."""
    said = [
        words.text.say(
            "at score threshold {threshold}: {error} in this slice, {rest} elsewhere",
            threshold=format_number(row["threshold"]),
            error=words.write(row["error"]),
            rest=words.write_value(row["rest_error"]),
        )
        for row in (points[0], points[-1])
    ]
    return "; ".join(said)
