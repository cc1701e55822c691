"""How many decoded pixels may be in memory at a time, over all threads that decode."""

import threading
import time
import weakref
from collections import Counter

from PIL import Image

_SMALL = 2**22  # pixels; smaller images are not counted, workers hold few of them
_PATIENCE = 60.0  # seconds after which an image is let in all the same: slow, never stuck


class PixelBudget:
    """Lets threads decode large images one after the other, once `limit` pixels are in memory.

    An image larger than the limit is decoded when it is alone. A thread that holds an image itself
    does not wait, or it would wait for itself.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._changed = threading.Condition()
        self._held: Counter[int] = Counter()  # by thread

    @property
    def held(self) -> int:
        """The pixels of large images that are decoded or being decoded."""
        with self._changed:
            return self._held.total()

    def reserve(self, pixels: int) -> int:
        """Wait until `pixels` fit, count them, and return what `attach` or `release` takes."""
        thread = threading.get_ident()
        deadline = time.monotonic() + _PATIENCE
        if pixels < _SMALL:
            return 0
        with self._changed:
            while self._held.total() + pixels > self.limit and not self._held[thread]:
                left = deadline - time.monotonic()
                if self._held.total() == 0 or left <= 0:
                    break
                self._changed.wait(left)
            self._held[thread] += pixels
        return pixels

    def attach(self, image: Image.Image, pixels: int) -> None:
        """Release what this thread reserved when `image` is no longer used."""
        if pixels:
            weakref.finalize(image, self._release, threading.get_ident(), pixels).atexit = False

    def release(self, pixels: int) -> None:
        """Release what this thread reserved."""
        self._release(threading.get_ident(), pixels)

    def _release(self, thread: int, pixels: int) -> None:
        with self._changed:
            self._held[thread] -= pixels
            if self._held[thread] <= 0:
                del self._held[thread]
            self._changed.notify_all()
