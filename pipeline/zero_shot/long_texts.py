"""Texts longer than what a text tower reads: cut into sentences, never at its end in silence."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")

Fits = Callable[[Sequence[str]], Sequence[bool]]


@dataclass(frozen=True)
class SplitTexts:
    """pieces: of each text, those that fit; long: how many texts did not; cut: pieces left over.

    cut: single words that are longer than the context, of which the tower reads the beginning.
    """

    pieces: tuple[tuple[str, ...], ...]
    long: int
    cut: int


def split_long_texts(texts: Sequence[str], *, fits: Fits) -> SplitTexts:
    """Split each text that does not fit into its sentences, a long sentence into halves of words.

    fits: whether the tower reads each of some texts to their end.
    """
    whole = fits(texts) if texts else []
    pieces, cut = [], 0
    for text, fit in zip(texts, whole, strict=True):
        own, left = ([text], 0) if fit else _split(text, fits)
        pieces.append(tuple(own))
        cut += left
    return SplitTexts(tuple(pieces), sum(not fit for fit in whole), cut)


def _split(text: str, fits: Fits) -> tuple[list[str], int]:
    """Return the pieces of a text that is too long, and how many of them still are."""
    parts = [part for part in _SENTENCE_END.split(text) if part.strip()]
    if len(parts) < 2:
        words = text.split()
        if len(words) < 2:
            return [text], 1
        middle = len(words) // 2
        parts = [" ".join(words[:middle]), " ".join(words[middle:])]
    pieces: list[str] = []
    cut = 0
    for part, fit in zip(parts, fits(parts), strict=True):
        own, left = ([part], 0) if fit else _split(part, fits)
        pieces += own
        cut += left
    return pieces, cut
