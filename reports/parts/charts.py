"""Bars and intervals as inline SVG in percent of their box: sharp at any width, no script.

No chart library: it takes seconds to start, fixes widths and colors, and the page's own style (dark
mode, print, 400 pixels) does not apply to its output.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup


@dataclass(frozen=True)
class Scale:
    """A linear axis from low to high; both finite, low < high."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return the position of a value in percent, clipped to 0 to 100."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)


def make_scale(values: Iterable[float | None]) -> Scale:
    """Return a scale that holds zero and every finite value, with a little room at its ends."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    room = 0.03 * (high - low) or 1.0
    return Scale(low - room if low < 0 else 0.0, high + room)


def draw_bar(value: float | None, scale: Scale, *, kind: str, mark: float | None = None) -> Markup:
    """Draw a bar from zero to value.

    kind: its class in the style sheet (slice | rest | share). mark: position of a thin line.
    The number is beside it as text, so it is hidden from screen readers.
    """
    zero = scale.place(0)
    shapes = []
    if value is not None and math.isfinite(value):
        end = scale.place(value)
        left, width = min(zero, end), max(abs(end - zero), 0.4)
        shapes.append(
            Markup('<rect class="{}" x="{}%" y="15%" width="{}%" height="70%" rx="2"/>').format(
                kind, left, round(width, 2)
            )
        )
    shapes.append(_draw_line(zero, "axis"))
    if mark is not None and math.isfinite(mark):
        shapes.append(_draw_line(scale.place(mark), "mark"))
    return _wrap(shapes, label=None)


def draw_interval(
    value: float | None,
    low: float | None,
    high: float | None,
    scale: Scale,
    *,
    label: str | None = None,
    mark: float | None = None,
    kind: str = "",
    band: tuple[float, float] | None = None,
) -> Markup:
    """Draw a dot with its interval; an end that is missing or infinite runs to the edge.

    Without a value the interval alone is drawn, where it has ends: bounds. label: read aloud in
    place of the picture; None when the numbers are beside it. kind: a further class of the picture.
    band: the ends of an area behind it.
    """
    shapes = [_draw_line(scale.place(0), "axis")]
    if band is not None:
        left, right = scale.place(band[0]), scale.place(band[1])
        shapes.insert(
            0,
            Markup('<rect class="band" x="{}%" y="0" width="{}%" height="100%"/>').format(
                left, round(right - left, 2)
            ),
        )
    if mark is not None and math.isfinite(mark):
        shapes.append(_draw_line(scale.place(mark), "mark"))
    there = value is not None and math.isfinite(value)
    ends = [(low, scale.low), (high, scale.high)]
    known = [end is not None and math.isfinite(end) for end, _ in ends]
    if any(known) if there else all(known):
        left, right = (
            scale.place(end if end is not None and math.isfinite(end) else edge)
            for end, edge in ends
        )
        shapes.append(
            Markup('<line class="whisker" x1="{}%" x2="{}%" y1="50%" y2="50%"/>').format(
                left, right
            )
        )
        caps = [x for x, shown in zip((left, right), known, strict=True) if shown]
        shapes += [
            Markup('<line class="whisker" x1="{0}%" x2="{0}%" y1="28%" y2="72%"/>').format(x)
            for x in caps
        ]
    if value is not None and math.isfinite(value):
        shapes.append(
            Markup('<circle class="dot" cx="{}%" cy="50%" r="4.5"/>').format(scale.place(value))
        )
    return _wrap(shapes, label=label, kind=kind)


def draw_trend(values: Sequence[float | None], filled: Sequence[bool], scale: Scale) -> Markup:
    """Draw values from left to right at equal steps, joined where neighbors are known.

    filled: which dots are solid, the others are open. The line marks zero. The numbers are beside
    it as text, so it is hidden from screen readers.
    """
    zero = round(100 - scale.place(0), 2)
    shapes = [Markup('<line class="axis" x1="0" x2="100%" y1="{0}%" y2="{0}%"/>').format(zero)]
    step = 100 / len(values) if values else 0.0
    points = [
        None
        if value is None or not math.isfinite(value)
        else (round(step * (at + 0.5), 2), round(100 - scale.place(value), 2))
        for at, value in enumerate(values)
    ]
    for one, other in pairwise(points):
        if one is not None and other is not None:
            shapes.append(
                Markup('<line class="whisker" x1="{}%" y1="{}%" x2="{}%" y2="{}%"/>').format(
                    *one, *other
                )
            )
    for point, solid in zip(points, filled, strict=True):
        if point is not None:
            kind = "dot" if solid else "fitted"
            shapes.append(
                Markup('<circle class="{}" cx="{}%" cy="{}%" r="3"/>').format(kind, *point)
            )
    return _wrap(shapes, label=None, kind="trend")


@dataclass(frozen=True)
class ReliabilityPoint:
    """One bin of a reliability diagram, all shares of 1.

    fitted: whether predicted is a fitted probability, else the score itself.
    """

    predicted: float
    observed: float
    low: float
    high: float
    fitted: bool


def draw_reliability(points: Iterable[ReliabilityPoint], *, label: str) -> Markup:
    """Draw the share that is right over what was predicted, with the diagonal of perfect scores.

    Scores have their intervals as whiskers, fitted probabilities are open dots. label: read aloud
    in place of the picture.
    """
    unit = Scale(0.0, 1.0)
    shapes = [
        Markup('<line class="axis" x1="0" y1="100%" x2="100%" y2="0"/>'),
        Markup('<line class="axis" x1="0" y1="100%" x2="100%" y2="100%"/>'),
        Markup('<line class="axis" x1="0" y1="0" x2="0" y2="100%"/>'),
    ]
    for point in points:
        x, y = unit.place(point.predicted), unit.place(1 - point.observed)
        if not point.fitted:
            ends = unit.place(1 - point.low), unit.place(1 - point.high)
            shapes.append(
                Markup('<line class="whisker" x1="{0}%" x2="{0}%" y1="{1}%" y2="{2}%"/>').format(
                    x, *ends
                )
            )
        kind, radius = ("fitted", 3) if point.fitted else ("dot", 4)
        shapes.append(
            Markup('<circle class="{}" cx="{}%" cy="{}%" r="{}"/>').format(kind, x, y, radius)
        )
    opening = Markup('<svg class="square" role="img" aria-label="{}">').format(label)
    return opening + Markup("").join(shapes) + Markup("</svg>")


def _draw_line(x: float, kind: str) -> Markup:
    return Markup('<line class="{0}" x1="{1}%" x2="{1}%" y1="0" y2="100%"/>').format(kind, x)


def _wrap(shapes: list[Markup], *, label: str | None, kind: str = "") -> Markup:
    classes = f"chart {kind}".strip()
    if label is None:
        opening = Markup('<svg class="{}" aria-hidden="true" focusable="false">').format(classes)
    else:
        opening = Markup('<svg class="{}" role="img" aria-label="{}">').format(classes, label)
    return opening + Markup("").join(shapes) + Markup("</svg>")
