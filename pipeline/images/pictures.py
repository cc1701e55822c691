"""Pictures for a reader: small WebP files of an image or a part of it, blurred where asked."""

import io
import math
from collections.abc import Iterable

from PIL import Image, ImageFilter

from pipeline.images.crop import Box
from pipeline.images.decode import ImageRejectedError

QUALITY = 78  # of WebP
HEAD_SHARE = 1 / 3  # of a person's box, from its top, that is blurred
_COARSE = 8  # cells along the longer side of a blurred part: no face is left in them


def cut_box(image: Image.Image, box: Box, *, margin: float) -> Image.Image:
    """Cut a box with a margin, a share of its longer side on each side, within the image.

    box: x, y, width and height in pixels. Raises ImageRejectedError if it lies outside the image or
    is not finite.
    """
    if not all(math.isfinite(value) for value in box):
        raise ImageRejectedError("its box is not made of finite numbers")
    x, y, w, h = box
    more = margin * max(w, h)
    left, top = max(0, math.floor(x - more)), max(0, math.floor(y - more))
    right = min(image.width, math.ceil(x + w + more))
    bottom = min(image.height, math.ceil(y + h + more))
    if right <= left or bottom <= top:
        raise ImageRejectedError("its box lies outside the image")
    return image.crop((left, top, right, bottom))


def write_webp(image: Image.Image, side: int) -> bytes:
    """Return a WebP whose longer side has at most `side` pixels, without any metadata."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def find_head(box: Box) -> Box:
    """Return the upper third of a person's box, where the head of an upright person is."""
    x, y, w, h = box
    return x, y, w, h * HEAD_SHARE


def blur_boxes(image: Image.Image, boxes: Iterable[Box]) -> Image.Image:
    """Return the image with each box made coarse beyond recognition, a tenth wider all around.

    boxes: x, y, width and height in pixels; what of them lies outside the image is left out.
    """
    blurred = image.copy()
    for box in boxes:
        try:
            part = cut_box(image, box, margin=0.1)
        except ImageRejectedError:
            continue
        x, y, w, h = box
        more = 0.1 * max(w, h)
        coarse = part.resize(_coarsen(part.size), Image.Resampling.BOX)
        patch = coarse.resize(part.size, Image.Resampling.BILINEAR)
        patch = patch.filter(ImageFilter.GaussianBlur(max(part.size) / 20))
        blurred.paste(patch, (max(0, math.floor(x - more)), max(0, math.floor(y - more))))
    return blurred


def _coarsen(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _COARSE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
