"""The interface of a detector: a name, an id of all that determines its boxes, and `detect`."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PIL import Image


class Detection(NamedTuple):
    """One object that a detector finds; the box is in pixels of the upright image."""

    category: str
    x: float
    y: float
    w: float
    h: float
    score: float


class Detector(Protocol):
    """Finds objects in one image at a time."""

    @property
    def name(self) -> str:
        """The detector as audit.toml names it."""

    @property
    def detector_id(self) -> str:
        """16 hex digits of weights, settings and versions: equal ids give equal boxes."""

    def detect(self, image: Image.Image) -> list[Detection]:
        """Return the detections in an RGB image, best first; called from several threads.

        Raises ImageRejectedError for an image that the detector cannot take.
        """


def sort_detections(found: Sequence[Detection]) -> list[Detection]:
    """Return the detections by falling score, equal ones by category and position."""
    return sorted(found, key=lambda one: (-one.score, one))
