"""Windows over an image: boxes of several sizes, whose crops are embedded like any other."""

import math
from collections.abc import Callable

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.config.dataset import CropRule
from pipeline.config.windows import MAX_WINDOWS, WindowRule
from pipeline.images.crop import Box
from pipeline.images.decode import ImageRejectedError
from pipeline.tables import WINDOWS

# A window is cut as it is: what is around it belongs to another window.
WINDOW_CROP = CropRule(margin=0, min_size=1)


def list_windows(width: int, height: int, rule: WindowRule) -> Floats:
    """Return (m, 4) windows: x, y, width and height in whole pixels, each once, small ones first.

    width, height: of the upright image. The windows of one size reach from edge to edge in equal
    steps of at most `rule.stride` of their side. Every window lies in the image. Raises
    ImageRejectedError for more than MAX_WINDOWS.
    """
    windows: dict[tuple[int, int, int, int], None] = {}
    for scale in rule.scales:
        long = scale * min(width, height)
        for aspect in rule.aspects:
            w = min(max(1, round(long * min(aspect, 1.0))), width)
            h = min(max(1, round(long * min(1 / aspect, 1.0))), height)
            columns, rows = _place(width, w, rule.stride), _place(height, h, rule.stride)
            if len(windows) + len(columns) * len(rows) > MAX_WINDOWS:
                raise ImageRejectedError(
                    f"its {width} x {height} pixels have more than {MAX_WINDOWS:,} windows; "
                    "take larger scales or a larger stride"
                )
            windows |= dict.fromkeys((x, y, w, h) for y in rows for x in columns)
    return np.array(list(windows), dtype=np.float64)  # (m, 4)


def make_windows(
    images: pl.DataFrame, rule: WindowRule, *, make_key: Callable[[str, Box], str]
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return WINDOWS of images by sorted content key, and why others have none, by theirs.

    images: content_key, width and height; each content key is used once. make_key: from the content
    key of an image and a box to the key of the window.
    """
    unique = images.sort("content_key").unique("content_key", maintain_order=True)
    rows: list[tuple[object, ...]] = []
    failed: dict[str, str] = {}
    for key, width, height in unique.select("content_key", "width", "height").iter_rows():
        try:
            boxes = list_windows(width, height, rule)
        except ImageRejectedError as error:
            failed[key] = error.reason
            continue
        rows += [(make_key(key, (x, y, w, h)), key, x, y, w, h) for x, y, w, h in boxes.tolist()]
    return pl.DataFrame(rows, schema=dict(WINDOWS), orient="row"), failed


def _place(length: int, side: int, stride: float) -> list[int]:
    """Return where windows of one side begin, from edge to edge."""
    free = length - side
    steps = math.ceil(free / max(1.0, stride * side))
    return sorted({round(free * step / steps) for step in range(steps + 1)}) if steps else [0]
