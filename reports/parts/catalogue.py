"""The words of a report in each language: those of its frame by keys, sentences by the English."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parents[1] / "catalogue"
SENTENCES = FOLDER / "sentences"  # LANGUAGE.toml: English text -> the same in the language


@dataclass(frozen=True)
class Words:
    """The words of one language: `words("page.index")`, `words.say("{n} more", n="12")`."""

    language: str

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key with its {names} filled in. Raises KeyError for another key."""
        return read_catalogue(self.language)[key].format(**values)

    def find(self, key: str, default: str) -> str:
        """Return the text of a key, or `default` where there is none."""
        return read_catalogue(self.language).get(key, default)

    def say(self, text: str, /, **values: object) -> str:
        """Return an English text in the language, its {names} filled in after that.

        A text that the language lacks stays English, as do words of the data. Without values it
        has no {names}.
        """
        said = read_sentences(self.language).get(text, text)
        return said.format(**values) if values else said

    def count(self, n: int, one: str, many: str, /, **values: object) -> str:
        """Return the text for one thing or for several, as `say` does; {n} is their number."""
        return self.say(one if n == 1 else many, n=f"{n:,}", **values)

    def mark(self, text: str, /, **values: object) -> Markup:
        """Return what `say` does as markup; `text` is ours, never of the data."""
        return Markup(read_sentences(self.language).get(text, text)).format(**values)  # noqa: S704 - our own text

    def mark_count(self, n: int, one: str, many: str, /, **values: object) -> Markup:
        """Return what `count` does, as `mark` does."""
        return self.mark(one if n == 1 else many, n=f"{n:,}", **values)


ENGLISH = Words("en")


def list_languages() -> list[str]:
    """Return the languages that there are words of, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@functools.cache
def read_catalogue(language: str) -> Mapping[str, str]:
    """Return every text of a language by its key, "table.name"."""
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{name}": text for table, own in tables.items() for name, text in own.items()}


@functools.cache
def read_sentences(language: str) -> Mapping[str, str]:
    """Return for each English text the same in a language; nothing of English itself."""
    path = SENTENCES / f"{language}.toml"
    if not path.exists():
        return {}
    return dict(tomllib.loads(path.read_text(encoding="utf-8")))
