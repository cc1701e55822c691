"""One SVG of similarities: how cosines of pairs are spread, and the means of each class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

_WIDTH, _LEFT, _RIGHT = 720, 150, 20  # pixels: of the picture, and beside what is drawn
_PANEL, _HEAD, _ROW = 130, 44, 22  # heights: of a histogram, above it, of a class
_BINS = 60
_NAME_LENGTH = 20  # characters of a class
_STYLE = """\
text{font:13px system-ui,sans-serif;fill:#222}.small{font-size:11px;fill:#555}
.inner{fill:#0b62a8;fill-opacity:.35;stroke:#0b62a8}.inter{fill:#777;fill-opacity:.25;stroke:#777}
.axis{stroke:#999}.mean{stroke-width:2;stroke-dasharray:4 3;fill:none}.ground{fill:#fff}
.dot-inner{fill:#0b62a8}.dot-inter{fill:#777}.reach-inner{stroke:#0b62a8;stroke-width:2}
.reach-inter{stroke:#777;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#eee}.small{fill:#bbb}.ground{fill:#16181c}
.inner{fill:#6db4f2;stroke:#6db4f2}.inter{fill:#aaa;stroke:#aaa}.dot-inner{fill:#6db4f2}
.dot-inter{fill:#aaa}.reach-inner{stroke:#6db4f2}.reach-inter{stroke:#aaa}}"""


@dataclass(frozen=True)
class SpreadView:
    """Cosines of two kinds of pairs, the first of which belong together.

    names: of the kinds. cosines: drawn pairs of each. means: of all pairs, null without one.
    """

    title: str
    names: tuple[str, str]
    cosines: tuple[NDArray[np.float64], NDArray[np.float64]]
    means: tuple[float | None, float | None]


@dataclass(frozen=True)
class ClassView:
    """A class: mean, low and high of pairs within it, and with other classes; null where none."""

    name: str
    inner: tuple[float | None, float | None, float | None]
    inter: tuple[float | None, float | None, float | None]


def draw_similarity(spreads: Sequence[SpreadView], classes: Sequence[ClassView]) -> str:
    """Return a whole SVG file: a histogram of each kind of pairs, and a row for each class."""
    low, high = _find_range(spreads, classes)
    parts, y = [], 10
    for view in spreads:
        parts.append(_draw_spread(view, y, low, high))
        y += _HEAD + _PANEL + 34
    if classes:
        parts.append(_draw_classes(classes, y, low, high))
        y += _HEAD + _ROW * len(classes) + 34
    told = "; ".join(_describe(view) for view in spreads)
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        'role="img"><title>Similarity of pairs</title><desc>{d}</desc><style>{s}</style>'
        '<rect class="ground" width="{w}" height="{h}"/>'
    ).format(w=_WIDTH, h=y, d=told, s=Markup(_STYLE))  # noqa: S704 - our own style
    return str(head + Markup("\n").join(parts) + Markup("</svg>\n"))


def _find_range(spreads: Sequence[SpreadView], classes: Sequence[ClassView]) -> tuple[float, float]:
    ends = [float(end) for view in spreads for part in view.cosines if len(part)
            for end in np.quantile(part, [0.001, 0.999])]  # fmt: skip
    ends += [v for one in classes for v in (*one.inner, *one.inter) if v is not None]
    low, high = min(ends, default=-1.0), max(ends, default=1.0)
    return math.floor(low * 10) / 10, max(
        math.ceil(high * 10) / 10, math.floor(low * 10) / 10 + 0.1
    )


def _place(value: float, low: float, high: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _draw_spread(view: SpreadView, y: int, low: float, high: float) -> Markup:
    top, bottom = y + _HEAD, y + _HEAD + _PANEL
    edges = np.linspace(low, high, _BINS + 1)
    shares = [np.histogram(np.clip(part, low, high), edges)[0] / max(len(part), 1)
              for part in view.cosines]  # fmt: skip
    most = max(float(share.max()) for share in shares) or 1.0
    parts = [_write_head(view.title, view.names, y), _draw_axis(bottom, low, high)]
    for share, mean, kind in zip(shares, view.means, ("inner", "inter"), strict=True):
        points = [f"{_place(low, low, high)},{bottom}"]
        for start, end, value in zip(edges[:-1], edges[1:], share, strict=True):
            height = round(bottom - value / most * _PANEL, 1)
            points += [f"{_place(x, low, high)},{height}" for x in (start, end)]
        points.append(f"{_place(high, low, high)},{bottom}")
        parts.append(Markup('<polygon class="{}" points="{}"/>').format(kind, " ".join(points)))
        if mean is not None and math.isfinite(mean):
            x = _place(mean, low, high)
            parts.append(
                Markup('<line class="mean {k}" x1="{x}" x2="{x}" y1="{t}" y2="{b}"/>').format(
                    k=kind, x=x, t=top, b=bottom
                )
            )
    return Markup("\n").join(parts)


def _draw_classes(classes: Sequence[ClassView], y: int, low: float, high: float) -> Markup:
    names = ("within the class", "with other classes")
    parts = [_write_head("means by class, with 95 % intervals", names, y)]
    for number, one in enumerate(classes):
        middle = y + _HEAD + _ROW * number + _ROW // 2
        name = one.name if len(one.name) <= _NAME_LENGTH else f"{one.name[: _NAME_LENGTH - 1]}…"
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                _LEFT - 8, middle + 4, name
            )
        )
        for kind, (mean, start, end) in (("inter", one.inter), ("inner", one.inner)):
            if mean is None:
                continue
            if start is not None and end is not None:
                parts.append(
                    Markup('<line class="reach-{k}" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>').format(
                        k=kind, a=_place(start, low, high), b=_place(end, low, high), y=middle
                    )
                )
            parts.append(
                Markup('<circle class="dot-{}" cx="{}" cy="{}" r="4"/>').format(
                    kind, _place(mean, low, high), middle
                )
            )
    parts.append(_draw_axis(y + _HEAD + _ROW * len(classes) + 4, low, high))
    return Markup("\n").join(parts)


def _write_head(title: str, names: tuple[str, str], y: int) -> Markup:
    return Markup(
        '<text x="{l}" y="{a}">{t}</text><rect class="inner" x="{l}" y="{b}" width="12" '
        'height="10"/><text class="small" x="{m}" y="{c}">{one}</text><rect class="inter" x="{r}" '
        'y="{b}" width="12" height="10"/><text class="small" x="{s}" y="{c}">{two}</text>'
    ).format(
        l=_LEFT, t=title, a=y + 14, b=y + 22, c=y + 31, m=_LEFT + 18, r=_LEFT + 190,
        s=_LEFT + 208, one=names[0], two=names[1],
    )  # fmt: skip


def _draw_axis(y: int, low: float, high: float) -> Markup:
    step = 0.1 if high - low <= 1 else 0.2
    ticks = [round(low + step * i, 1) for i in range(round((high - low) / step) + 1)]
    parts = [
        Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            _place(low, low, high), _place(high, low, high), y=y
        )
    ]
    parts += [
        Markup('<text class="small" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _place(tick, low, high), y + 16, f"{tick:.1f}"
        )
        for tick in ticks
        if tick <= high + 1e-9
    ]
    return Markup("").join(parts)


def _describe(view: SpreadView) -> Markup:
    means = ["no pair" if m is None or not math.isfinite(m) else f"{m:.3f}" for m in view.means]
    return escape(
        f"{view.title}: mean cosine {means[0]} of the {view.names[0]}, {means[1]} of another"
    )
