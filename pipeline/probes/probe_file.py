"""Probe files: pairs of words whose closeness to images of different groups is compared."""

import importlib.resources
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.exceptions import ConfigError
from pipeline.files.toml_file import nearest, parse_model, read_toml

_NEUTRAL = "neutral"


class ProbePair(BaseModel):
    """Two words with their synonyms; the first of each names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: tuple[str, ...] = Field(min_length=1)
    second: tuple[str, ...] = Field(min_length=1)


class ProbeFile(BaseModel):
    """A subject, its templates with {}, and its pairs.

    on_request: whether the words are insults, so that they are shown only when that is asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    on_request: bool = False
    templates: tuple[str, ...] = Field(min_length=1)
    pairs: tuple[ProbePair, ...] = Field(min_length=1)

    @field_validator("templates")
    @classmethod
    def _have_a_place(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        if bad := [template for template in templates if template.count("{}") != 1]:
            raise ValueError(f"expected templates with {{}} once, found {bad[0]!r}")
        return templates

    @property
    def words(self) -> list[str]:
        """All words of all pairs, each once, in the order of the file."""
        listed = [word for pair in self.pairs for word in (*pair.first, *pair.second)]
        return list(dict.fromkeys(listed))


class _NeutralFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    nouns: tuple[str, ...] = Field(min_length=20)


def read_probes(names: Sequence[str], *, show_insults: bool = False) -> list[ProbeFile]:
    """Read probe files.

    names: shipped names such as "probes/traits", or paths that end in .toml; all shipped files that
    are not `on_request` when empty. Raises ConfigError for an unknown name, a faulty file, a name
    that is used twice, and a file of insults without `show_insults`.
    """
    shipped = list_shipped_probes()
    files = [_read(_find(name, shipped)) for name in names or shipped]
    if not names and not show_insults:
        files = [file for file in files if not file.on_request]
    problems = [
        f"{file.name!r} holds insults; --show-slurs uses them"
        for file in files
        if file.on_request and not show_insults
    ]
    listed = [file.name for file in files]
    problems += [
        f"the name {n!r} is used twice" for n in sorted(set(listed)) if listed.count(n) > 1
    ]
    if problems:
        raise ConfigError.from_problems("--probes", problems)
    return files


def read_neutral_nouns(path: Path | None = None) -> tuple[str, ...]:
    """Return the neutral nouns, with their articles; those of `path` instead of the shipped ones.

    Raises ConfigError for a faulty file.
    """
    model = parse_model(read_toml(path or _folder() / f"{_NEUTRAL}.toml"), _NeutralFile)
    return tuple(dict.fromkeys(model.nouns))


def list_shipped_probes() -> list[str]:
    """Return the names of the probe files that come with weakspot, sorted."""
    names = sorted(file.stem for file in _folder().glob("*.toml"))
    return [f"probes/{name}" for name in names if name != _NEUTRAL]


def _folder() -> Path:
    return Path(str(importlib.resources.files("attributes"))) / "probes"


def _find(name: str, shipped: Sequence[str]) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    full = name if name.startswith("probes/") else f"probes/{name}"
    if full not in shipped:
        raise ConfigError(
            f"--probes {name}: no such probes are shipped; {nearest(full, shipped)}; "
            "a path ends in .toml"
        )
    return _folder() / f"{full.removeprefix('probes/')}.toml"


def _read(path: Path) -> ProbeFile:
    return parse_model(read_toml(path), ProbeFile)
