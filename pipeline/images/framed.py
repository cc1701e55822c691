"""A picture of one sample for a person: the object in a frame with what surrounds it."""

import io
import math

from PIL import Image, ImageDraw

from pipeline.images.crop import Box
from pipeline.images.decode import ImageRejectedError

_SURROUNDINGS = 0.5  # of the longer side of the box, on each side
_LEAST = 16  # pixels on each side, so that a tiny object is not without a place
_LARGEST_SCALE = 8.0
_INNER, _OUTER = (255, 255, 255), (20, 20, 20)  # a light line in a dark one shows on any picture


def draw_sample(image: Image.Image, box: Box | None, *, side: int) -> bytes:
    """Return a JPEG whose longer side has at most `side` pixels.

    box: of an object, in pixels of the upright image; it is framed and shown with some of its
    surroundings, a small one enlarged. None for a whole image. Raises ImageRejectedError if the box
    is not finite or lies outside the image.
    """
    if box is None:
        shown = image.copy()
        shown.thumbnail((side, side), Image.Resampling.LANCZOS)
        return _encode(shown)
    left, top, right, bottom = _find_surroundings(image, box)
    scale = min(side / max(right - left, bottom - top), _LARGEST_SCALE)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    shown = image.resize(size, Image.Resampling.BICUBIC, box=(left, top, right, bottom))
    x, y, w, h = box
    corners = [(x - left) * scale, (y - top) * scale, (x + w - left) * scale, (y + h - top) * scale]
    _draw_frame(shown, corners)
    return _encode(shown)


def _find_surroundings(image: Image.Image, box: Box) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is shown around a box, within the image."""
    x, y, w, h = box
    if not all(math.isfinite(value) for value in box):
        raise ImageRejectedError("its box is not made of finite numbers")
    margin = max(_SURROUNDINGS * max(w, h), _LEAST)
    left, top = max(0, math.floor(x - margin)), max(0, math.floor(y - margin))
    right = min(image.width, math.ceil(x + w + margin))
    bottom = min(image.height, math.ceil(y + h + margin))
    if x >= image.width or y >= image.height or x + w <= 0 or y + h <= 0:
        raise ImageRejectedError("its box lies outside the image")
    return left, top, right, bottom


def _draw_frame(image: Image.Image, corners: list[float]) -> None:
    """Draw two lines just outside the corners, where the picture has room for them."""
    pen = ImageDraw.Draw(image)
    x0, y0, x1, y1 = corners
    for distance, width, color in ((4, 4, _OUTER), (3, 2, _INNER)):
        outer = [
            max(x0 - distance, 0),
            max(y0 - distance, 0),
            min(x1 + distance, image.width - 1),
            min(y1 + distance, image.height - 1),
        ]
        pen.rectangle(outer, outline=color, width=width)


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
