"""Precision over recall, and counts on a grid over an image, as SVG like the charts."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

SHADES = 5


def draw_precision_recall(
    points: Sequence[tuple[float, float]],
    marked: Sequence[tuple[float | None, float | None]],
    *,
    label: str,
) -> Markup:
    """Draw a curve of precision, up, over recall, to the right; both from 0 to 1.

    points: recall and precision by rising recall. marked: operating points, as dots; those without
    a number are left out. label: read aloud in place of the picture.
    """
    line = " ".join(f"{100 * x:.2f},{100 - 100 * y:.2f}" for x, y in points)
    shapes = [
        Markup('<line class="axis" x1="0" x2="100" y1="{0}" y2="{0}"/>').format(y)
        for y in (0, 50, 100)
    ]
    shapes.append(Markup('<polyline class="slice" points="{}"/>').format(line))
    # A dot is a line without length: its round ends stay round however the picture is stretched.
    shapes += [
        Markup('<line class="point" x1="{0}" x2="{0}" y1="{1}" y2="{1}"/>').format(
            round(100 * x, 2), round(100 - 100 * y, 2)
        )
        for x, y in marked
        if x is not None and y is not None
    ]
    opening = Markup(
        '<svg class="curve" role="img" aria-label="{}" viewBox="0 0 100 100" '
        'preserveAspectRatio="none">'
    ).format(label)
    return opening + Markup("").join(shapes) + Markup("</svg>")


def draw_grid_counts(
    cells: Mapping[tuple[int, int], int], *, rows: int, columns: int, label: str
) -> Markup:
    """Draw how many there are in each cell of a grid, the fullest with the strongest shade.

    cells: (row, column) -> a count above 0; others are empty. label: read aloud in its place.
    """
    most = max(cells.values(), default=0)
    shapes = [
        Markup('<rect class="shade-{}" x="{}" y="{}" width="1" height="1"/>').format(
            math.ceil(SHADES * n / most), column, row
        )
        for (row, column), n in sorted(cells.items())
    ]
    texts = [
        Markup('<text x="{}" y="{}">{}</text>').format(column + 0.5, row + 0.5, n)
        for (row, column), n in sorted(cells.items())
    ]
    opening = Markup('<svg class="places" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
        label, columns, rows
    )
    frame = Markup('<rect class="frame" x="0" y="0" width="{}" height="{}"/>').format(columns, rows)
    return opening + Markup("").join([*shapes, *texts]) + frame + Markup("</svg>")
