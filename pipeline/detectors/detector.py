"""What a detector is to weakspot: a name, an id of all that decides its boxes, and `detect`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PIL import Image

_CHUNK = 1 << 20  # bytes read at a time while hashing


class Detection(NamedTuple):
    """One object that a detector sees; the box is in pixels of the upright image."""

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
        """Return what is seen in an RGB image, best first; called from several threads.

        Raises ImageRejectedError for an image that the detector cannot take.
        """


def make_detector_id(name: str, settings: Mapping[str, Any], weights: Sequence[Path]) -> str:
    """Return 16 hex digits of a detector's name, its settings and the bytes of its weights."""
    digest = hashlib.sha256(json.dumps([name, sorted(settings.items())]).encode())
    for path in weights:
        digest.update(f"\0{path.name}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()[:16]


def sort_detections(found: Sequence[Detection]) -> list[Detection]:
    """Return the detections by falling score, equal ones by category and place."""
    return sorted(found, key=lambda one: (-one.score, one))
