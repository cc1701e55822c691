"""The words of the site's own frame, in each language from one file of the same keys."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "catalogue"


@dataclass(frozen=True)
class Words:
    """The words of one language: `words("page.index")` or `words("page.system", name=...)`."""

    language: str

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key with its {names} filled in. Raises KeyError for another key."""
        return read_catalogue(self.language)[key].format(**values)

    def find(self, key: str, default: str) -> str:
        """Return the text of a key, or `default` where there is none."""
        return read_catalogue(self.language).get(key, default)


def list_languages() -> list[str]:
    """Return the languages that there are words of, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@functools.cache
def read_catalogue(language: str) -> Mapping[str, str]:
    """Return every text of a language by its key, "table.name"."""
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{name}": text for table, own in tables.items() for name, text in own.items()}
