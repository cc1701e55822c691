"""Thumbnails as data that the page carries itself."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from reports.models import Thumbnail
from reports.parts.numbers import format_number
from reports.parts.words import ErrorWords

_SIGNATURES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png", b"RIFF": "webp"}


@dataclass(frozen=True)
class Picture:
    """One thumbnail as the template shows it; source is a data address, or None without image.

    classes: (name, class) of the true and the predicted class; empty unless it is a classifier's.
    probability: of the predicted class, empty where it is not known.
    """

    source: str | None
    alt: str
    caption: str
    outcome: str
    classes: tuple[tuple[str, str], ...] = ()
    probability: str = ""


def make_pictures(thumbnails: Sequence[Thumbnail], words: ErrorWords) -> list[Picture]:
    """Return the pictures of one gallery, in the order given."""
    return [_make_picture(thumbnail, words) for thumbnail in thumbnails]


def _make_picture(thumbnail: Thumbnail, words: ErrorWords) -> Picture:
    outcome = words.write_outcome(thumbnail.error)
    say = words.text.say
    named = (("true", thumbnail.true), ("predicted", thumbnail.predicted))
    classes = tuple((say(name), text) for name, text in named if text is not None)
    probability = thumbnail.probability
    return Picture(
        source=encode_image(thumbnail.image),
        alt="; ".join(
            [
                say("Sample {name}: {outcome}", name=thumbnail.caption, outcome=outcome),
                *map(" ".join, classes),
            ]
        ),
        caption=thumbnail.caption,
        outcome=outcome,
        classes=classes,
        probability="" if probability is None else format_number(probability),
    )


def show_sample(path: str, thumbnail: bytes, outcome: str) -> Picture:
    """Return the picture of a sample that is known by its path and by words on it."""
    return Picture(
        source=encode_image(thumbnail), alt=f"{path}: {outcome}", caption=path, outcome=outcome
    )


def encode_image(image: bytes) -> str | None:
    """Return a data address for JPEG, PNG or WebP bytes; None for anything else."""
    for signature, subtype in _SIGNATURES.items():
        if image.startswith(signature):
            return f"data:image/{subtype};base64,{base64.b64encode(image).decode('ascii')}"
    return None
