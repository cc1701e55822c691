"""Which texts fit into what a text tower reads."""

from collections.abc import Sequence
from typing import Any

_TIMES_LONGER = 2


def find_fitting(tokenizer: Any, texts: Sequence[str]) -> list[bool]:  # noqa: ANN401 - open_clip is untyped
    """Return whether the tower reads each text to its end.

    Tokens of a context of twice the length are compared: where all beyond the own length are
    padding, nothing was cut. tokenizer: open_clip's, which cut longer texts without a word.
    """
    if not texts:
        return []
    length = int(tokenizer.context_length)
    longer = tokenizer(["", *texts], context_length=_TIMES_LONGER * length)
    padding = longer[0, -1]
    return [bool((row[length:] == padding).all()) for row in longer[1:]]
