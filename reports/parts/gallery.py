"""Thumbnails as data that the page carries itself."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from reports.models import Thumbnail
from reports.parts.words import ErrorWords

_SIGNATURES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}


@dataclass(frozen=True)
class Picture:
    """One thumbnail as the template shows it; source is a data address, or None without image."""

    source: str | None
    alt: str
    caption: str
    outcome: str


def make_pictures(thumbnails: Sequence[Thumbnail], words: ErrorWords) -> list[Picture]:
    """Return the pictures of one gallery, in the order given."""
    return [_make_picture(thumbnail, words) for thumbnail in thumbnails]


def _make_picture(thumbnail: Thumbnail, words: ErrorWords) -> Picture:
    outcome = words.write_outcome(thumbnail.error)
    return Picture(
        source=encode_image(thumbnail.image),
        alt=f"Sample {thumbnail.caption}: {outcome}",
        caption=thumbnail.caption,
        outcome=outcome,
    )


def encode_image(image: bytes) -> str | None:
    """Return a data address for JPEG or PNG bytes; None for anything else."""
    for signature, subtype in _SIGNATURES.items():
        if image.startswith(signature):
            return f"data:image/{subtype};base64,{base64.b64encode(image).decode('ascii')}"
    return None
