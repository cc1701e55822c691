"""Parts of an image: the crop of an object, and thumbnails."""

import io
import math

import polars as pl
from PIL import Image

from pipeline.config.dataset import CropRule
from pipeline.images.decode import ImageRejectedError

Box = tuple[float, float, float, float]  # x, y, width, height in pixels of the upright image


def crop_image(image: Image.Image, box: Box, rule: CropRule) -> Image.Image:
    """Cut an object from its upright image: its box with a margin on each side, within the image.

    box: x, y, width and height in pixels. A square rule widens the shorter side around its center
    to the longer one; what would lie outside the image is cut off, not padded. `rule.min_size`
    changes nothing here: see `find_small`. Raises ImageRejectedError if the box is not finite or
    lies outside the image.
    """
    x, y, w, h = box
    if not all(math.isfinite(value) for value in box):
        raise ImageRejectedError(f"box {_format_box(box)} is not made of finite numbers")
    visible_w = min(x + w, image.width) - max(x, 0)
    visible_h = min(y + h, image.height) - max(y, 0)
    if visible_w <= 0 or visible_h <= 0:
        size = f"{image.width} x {image.height}"
        raise ImageRejectedError(f"box {_format_box(box)} lies outside the image of {size} pixels")
    left, top = math.floor(x - rule.margin * w), math.floor(y - rule.margin * h)
    right, bottom = math.ceil(x + w + rule.margin * w), math.ceil(y + h + rule.margin * h)
    if rule.square:
        side = max(right - left, bottom - top)
        left, right = _widen(left, right, side)
        top, bottom = _widen(top, bottom, side)
    return image.crop(
        (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
    )


def find_small(samples: pl.DataFrame, *, min_size: float) -> pl.Series:
    """Return (n,) whether a sample is an object too small to embed.

    samples: x, y, w, h (null for whole images), width and height of the image, in pixels. Too small
    is less than `min_size` pixels of a side inside the image.
    """
    sides = [
        pl.min_horizontal(pl.col(start) + pl.col(side), pl.col(full))
        - pl.max_horizontal(pl.col(start), 0.0)
        for start, side, full in (("x", "w", "width"), ("y", "h", "height"))
    ]
    small = pl.col("w").is_not_null() & (pl.min_horizontal(*sides) < min_size)
    return samples.select(small.fill_null(value=False).alias("small")).to_series()


def make_thumbnail(image: Image.Image, size: int, *, box: Box | None = None) -> bytes:
    """Return a JPEG whose longer side has at most `size` pixels; with a box, of that part alone."""
    if box is not None:
        image = crop_image(image, box, CropRule(margin=0))
    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82, optimize=True)
    return buffer.getvalue()


def _widen(start: int, end: int, length: int) -> tuple[int, int]:
    """Widen a range of pixels to `length` on both sides; an odd pixel goes to the end."""
    start -= (length - (end - start)) // 2
    return start, start + length


def _format_box(box: Box) -> str:
    return "(" + ", ".join(f"{value:g}" for value in box) + ")"
