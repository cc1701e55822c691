"""Boxes over a whole image as SVG, and the words that say them."""

from collections.abc import Sequence

from markupsafe import Markup

from reports.parts.catalogue import Words
from reports.parts.numbers import format_number
from reports.site_models import SceneBox, Shot

SYMBOLS = {"found": "\N{CHECK MARK}", "missed": "\N{BALLOT X}", "false": "!", "true": ""}


def draw_boxes(shot: Shot, words: Words) -> Markup:
    """Draw the boxes of a shot over its image; nothing without boxes or without its size."""
    width, height = shot.size
    if not shot.boxes or not width or not height:
        return Markup()
    letter = max(width, height) / 42  # height of the writing, in pixels of the image
    shapes = [_draw_box(one, letter) for one in sorted(shot.boxes, key=lambda one: one.focus)]
    opening = Markup(
        '<svg class="boxes" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none">'
    ).format(say_boxes(shot.boxes, words), width, height)
    return opening + Markup("").join(shapes) + Markup("</svg>")


def say_boxes(boxes: Sequence[SceneBox], words: Words) -> str:
    """Say how many boxes of each kind there are: "2 found, 1 missed"."""
    kinds = [one.kind for one in boxes if one.role == "truth" or one.kind == "false"]
    return ", ".join(
        f"{kinds.count(kind)} {words(f'box.{kind}')}" for kind in SYMBOLS if kind in kinds
    )


def _draw_box(one: SceneBox, letter: float) -> Markup:
    x, y, w, h = (round(value, 1) for value in one.box)
    kind = f"{one.kind} {one.role}{' focus' if one.focus else ''}"
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, x, y, max(w, 0), max(h, 0)
    )
    text = _write_box(one)
    if not text:
        return rect
    top = y - letter / 4 if y > 1.5 * letter else y + letter
    return rect + Markup(
        '<text class="{}" x="{}" y="{}" font-size="{}" stroke-width="{}">{}</text>'
    ).format(kind, x, round(top, 1), round(letter, 1), round(letter / 5, 1), text)


def _write_box(one: SceneBox) -> str:
    """Write what is known of a detection, or that an object was missed."""
    if one.role == "truth":
        return f"{SYMBOLS['missed']} {one.category}" if one.kind == "missed" else ""
    parts = [SYMBOLS[one.kind], one.category]
    if one.score is not None:
        parts.append(format_number(one.score))
    if one.iou:
        parts.append(f"IoU {format_number(one.iou)}")
    return " ".join(filter(None, parts))
