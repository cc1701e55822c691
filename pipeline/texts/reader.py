"""The interface of a text reader: an id of all that determines its results, and `read`."""

from typing import NamedTuple, Protocol

from PIL import Image


class ReadText(NamedTuple):
    """One line of text; the box is upright around it, in pixels of the upright image."""

    text: str
    score: float
    x: float
    y: float
    w: float
    h: float


class TextReader(Protocol):
    """Reads the text in one image at a time."""

    @property
    def reader_id(self) -> str:
        """16 hex digits of weights, settings and versions: equal ids give equal texts."""

    def read(self, image: Image.Image) -> list[ReadText]:
        """Return the lines of text in an RGB image, from top left; called from several threads.

        Raises ImageRejectedError for an image that the reader cannot take.
        """
