"""Pictures of samples, asked for by sample_id alone."""

import threading
from collections import OrderedDict
from pathlib import Path

import polars as pl

from pipeline.images.decode import load_image
from pipeline.images.framed import draw_sample

SIDE = 960  # pixels
_KEPT = 64  # pictures, so that the next ones are made while one is judged
_AT_ONCE = 2  # images decoded at a time: a large one takes half a gigabyte


class SampleImages:
    """The pictures of some samples of one dataset; several threads may ask at a time.

    samples: SAMPLES. root: the folder that their paths are relative to. Whether a path stays in
    that folder was checked when the dataset was read; nothing that a browser sends is a path.
    """

    def __init__(self, samples: pl.DataFrame, root: Path) -> None:
        self._root = root
        columns = ("sample_id", "path", "x", "y", "w", "h")
        self._rows = {row[0]: row[1:] for row in samples.select(columns).iter_rows()}
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(_AT_ONCE)

    def draw(self, sample_id: str, *, side: int = SIDE) -> bytes | None:
        """Return the JPEG of a sample, an object in its frame; None for an unknown sample_id.

        Raises ImageRejectedError when the image is gone or broken.
        """
        row = self._rows.get(sample_id)
        if row is None:
            return None
        key = f"{sample_id} {side}"
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        path, x, y, w, h = row
        with self._decoding:
            box = None if x is None else (x, y, w, h)
            made = draw_sample(load_image(self._root / path), box, side=side)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made
