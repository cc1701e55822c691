"""Pictures of samples, asked for by sample_id alone."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import polars as pl

from pipeline.images.crop import Box
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.images.framed import draw_sample
from pipeline.samples.paths import Links

Place = tuple[str, Box | None]  # the path of an image, and the box of an object in it
FindPlace = Callable[[str], Place | None]

SIDE = 960  # pixels
_KEPT = 64  # pictures, so that the next ones are made while one is judged
_AT_ONCE = 2  # images decoded at a time: a large one takes half a gigabyte


class SampleImages:
    """The pictures of the samples of one dataset; several threads may ask at a time.

    find: where a sample is, by its sample_id. root: the folder that paths are relative to. Whether
    a path stays in that folder was checked when the dataset was read; nothing that a browser sends
    is a path. links: refuses, where given, what has become a link out of the dataset since then.
    kept: pictures in memory.
    """

    def __init__(
        self, find: FindPlace, root: Path, *, links: Links | None = None, kept: int = _KEPT
    ) -> None:
        self._find = find
        self._root = root
        self._links = links
        self._most = kept
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(_AT_ONCE)

    def draw(self, sample_id: str, *, side: int = SIDE, whole: bool = False) -> bytes | None:
        """Return the JPEG of a sample, an object in its frame; None for an unknown sample_id.

        whole: the whole image also of an object. Raises ImageRejectedError when the image is gone
        or broken.
        """
        place = self._find(sample_id)
        if place is None:
            return None
        key = f"{place} {side} {whole}"
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if ".." in PurePosixPath(place[0]).parts:
            raise ImageRejectedError("its path leads out of the images folder")
        path, box = self._root / place[0], place[1]
        escape = None if self._links is None else self._links.find_escape(path)
        if escape is not None:
            raise ImageRejectedError(escape)
        with self._decoding:
            made = draw_sample(load_image(path), None if whole else box, side=side)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


def index_samples(samples: pl.DataFrame) -> FindPlace:
    """Return what finds the place of SAMPLES by their sample_id."""
    columns = ("sample_id", "path", "x", "y", "w", "h")
    rows = {row[0]: row[1:] for row in samples.select(columns).iter_rows()}

    def find(sample_id: str) -> Place | None:
        row = rows.get(sample_id)
        return None if row is None else (row[0], None if row[1] is None else tuple(row[1:]))

    return find
