"""The characters of a condition, read from left to right: names, values, numbers and words."""

import re
from collections.abc import Iterable
from typing import NoReturn

from pipeline.exceptions import ConditionError

_SPACE = re.compile(r"\s*")
_BARE = re.compile(r"[^\s()\"',=<>!]+")
_QUOTED = re.compile(r"\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w.])", re.IGNORECASE)
_AFTER = re.compile(r"[\s(),]|$")  # what may follow a word


class ConditionReader:
    """A position in the text of a condition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._skip()

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.text)

    def take(self, *options: str) -> str | None:
        """Read one of some signs and return it, None where none is next."""
        for option in options:
            if self.text.startswith(option, self.position):
                self._move(len(option))
                return option
        return None

    def take_word(self, *words: str) -> str | None:
        """Read one of some words in any case and return it in lower case, None where none is."""
        for word in words:
            end = self.position + len(word)
            if self.text[self.position : end].lower() == word and _AFTER.match(self.text, end):
                self._move(len(word))
                return word
        return None

    def take_known(self, options: Iterable[str]) -> str | None:
        """Read the first of some texts that is next as a whole, None where none is."""
        for option in options:
            end = self.position + len(option)
            if self.text.startswith(option, self.position) and _AFTER.match(self.text, end):
                self._move(len(option))
                return option
        return None

    def take_text(self) -> str | None:
        """Read a word or a text in quotes, None where neither is next."""
        if found := _QUOTED.match(self.text, self.position):
            self._move(len(found[0]))
            return found["double"] if found["double"] is not None else found["single"]
        if found := _BARE.match(self.text, self.position):
            self._move(len(found[0]))
            return found[0]
        return None

    def take_number(self) -> float | None:
        """Read a finite number, None where none is next."""
        found = _NUMBER.match(self.text, self.position)
        if found is None:
            return None
        self._move(len(found[0]))
        return float(found[0])

    def show_rest(self) -> str:
        """Return what comes next, in words for a message."""
        rest = self.text[self.position : self.position + 20]
        return f"found {rest!r}" if rest else "found its end"

    def refuse(self, reason: str, *, position: int | None = None) -> NoReturn:
        """Raise ConditionError with the place, here or at `position`."""
        place = self.position if position is None else position
        raise ConditionError(f"condition, character {place + 1}: {reason}", position=place)

    def _move(self, count: int) -> None:
        self.position += count
        self._skip()

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.position)
        self.position = found.end() if found else self.position
