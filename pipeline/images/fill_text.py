"""Text taken out of a picture: its boxes filled with what surrounds them."""

import hashlib
import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from PIL import Image

from pipeline.images.crop import Box

FILL_VERSION = 1  # another fills in another way, so vectors of filled pictures are others
_READERS = ("rapidocr", "onnxruntime")  # another version reads other boxes
_MARGIN = 0.15  # of the height of a line, that letters may reach over their box
_RING = 0.5  # of the height of a line: how far around a box its surroundings reach


def identify_filling(readers: Sequence[str] = _READERS) -> str:
    """Return how text is filled and the installed version of what reads it, in a few letters.

    readers: names of packages; one that is not installed counts as a version of its own.
    """
    versions = [f"{name} {_find_version(name)}" for name in readers]
    return f"{FILL_VERSION}{hashlib.sha256(', '.join(versions).encode()).hexdigest()[:8]}"


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def fill_boxes(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """Return the image with each box filled by the median color of the ring around it.

    boxes: x, y, width and height in pixels; parts outside of the image are ignored. The image comes
    back as it is where there are none.
    """
    if not boxes:
        return image
    pixels = np.asarray(image.convert("RGB")).copy()
    covered = np.zeros(pixels.shape[:2], np.bool_)
    inner = [_widen(box, _MARGIN, pixels.shape) for box in boxes]
    for rows, columns in inner:
        covered[rows, columns] = True
    for box, (rows, columns) in zip(boxes, inner, strict=True):
        outer = _widen(box, _MARGIN + _RING, pixels.shape)
        around = pixels[outer][~covered[outer]]
        if not len(around):  # text everywhere around
            around = pixels[~covered] if not covered.all() else pixels.reshape(-1, 3)
        if pixels[rows, columns].size:
            pixels[rows, columns] = np.median(around, axis=0).astype(np.uint8)
    return Image.fromarray(pixels)


def _widen(box: Box, share: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    x, y, w, h = box
    reach = share * h
    top, bottom = math.floor(y - reach), math.ceil(y + h + reach)
    left, right = math.floor(x - reach), math.ceil(x + w + reach)
    return (
        slice(max(top, 0), min(max(bottom, 0), shape[0])),
        slice(max(left, 0), min(max(right, 0), shape[1])),
    )
