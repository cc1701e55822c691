"""TOML files, read so that every error message can name its line."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.exceptions import ConfigError
from pipeline.files.regular_file import read_regular

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_MOST_BYTES = 16 * 2**20  # a longer file is none that a person wrote
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=")


@dataclass(frozen=True)
class TomlFile:
    """A parsed TOML file; `lines` maps the location of each key and header to its line from 1."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[Location, int]
    text: str = ""

    def line_of(self, location: Sequence[str | int]) -> int | None:
        """Return the line of `location`, or of the nearest part around it that has one."""
        for end in range(len(location), 0, -1):
            line = self.lines.get(tuple(location[:end]))
            if line is not None:
                return line
        return None

    def line_of_text(self, location: Sequence[str | int], text: str, *, nth: int = 0) -> int | None:
        """Return the line of the nth `text` under `location`, or that of the location itself."""
        start = self.line_of(location)
        if start is None:
            return None
        for number, line in enumerate(self.text.splitlines()[start - 1 :], start=start):
            count = line.count(f'"{text}"') + line.count(f"'{text}'")
            if nth < count:
                return number
            nth -= count
        return start


def read_toml(path: Path) -> TomlFile:
    """Read a TOML file. Raises ConfigError that names the file and, for bad syntax, the line."""
    try:
        text = read_regular(path, most=_MOST_BYTES).decode("utf-8-sig")
        data = tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: cannot be read as TOML: it is nested too deep") from None
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: a folder; expected a TOML file such as audit.toml") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None
    return TomlFile(path=path, data=data, lines=_find_lines(text), text=text)


def parse_model(file: TomlFile, model: type[Model], *, base: Path | None = None) -> Model:
    """Validate the file's data as `model`; `base` is given to validators as context.

    Raises ConfigError listing every problem with its line and, for an unknown key, the nearest
    known one.
    """
    try:
        return model.model_validate(dict(file.data), context={"base": base or file.path.parent})
    except ValidationError as error:
        problems = describe_faults(file, model, error)
        raise ConfigError.from_problems(str(file.path), problems) from None


def describe_faults(file: TomlFile, model: type[BaseModel], error: ValidationError) -> list[str]:
    """Return one sentence for each fault pydantic found in the file, with its line."""
    faults = [dict(fault) for fault in error.errors()]
    return [_describe(file, model, fault) for fault in faults if _is_own(fault, faults)]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "did you mean X?" for the known word nearest to `word`, or all that are known."""
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(options)}"


def list_options(names: Iterable[str], *, quote: str = "'") -> str:
    """Return two names or more as "'a', 'b' or 'c'"."""
    *most, last = [f"{quote}{name}{quote}" for name in names]
    return f"{', '.join(most)} or {last}"


def _find_lines(text: str) -> dict[Location, int]:
    """Find the lines of keys and headers; a line of a multi-line string may pass for a key."""
    lines: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    inside: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            inside = _split(header.group(2))
            if header.group(1) == "[[":
                index = counts.get(inside, 0)
                counts[inside] = index + 1
                inside = (*inside, index)
            lines.setdefault(inside, number)
        elif key := _KEY.match(line):
            lines.setdefault((*inside, *_split(key.group(1))), number)
    return lines


def _split(dotted: str) -> Location:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _is_own(fault: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a fault is its own: a list may be too short because its items failed."""
    location = fault["loc"]
    return not any(
        len(other["loc"]) > len(location) and other["loc"][: len(location)] == location
        for other in faults
    )


def _describe(file: TomlFile, model: type[BaseModel], fault: Mapping[str, Any]) -> str:
    location: Location = fault["loc"]
    line = file.line_of(location)
    where = f"line {line}: " if line else ""
    dotted = ".".join(str(part) for part in location)
    if fault["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        return f"{where}unknown key {dotted!r}; {nearest(str(location[-1]), known)}"
    if fault["type"] == "missing":
        return f"{where}key {dotted!r} is missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    found = "" if isinstance(fault["input"], dict | list) else f" (found {fault['input']!r})"
    return f"{where}{dotted or file.path.name}: {message}{found}"


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """Follow `location` through the fields of `model` to the keys known there."""
    current: type[BaseModel] = model
    for part in location:
        field = current.model_fields.get(str(part)) if isinstance(part, str) else None
        if field is not None:
            current = _model_of(field.annotation) or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a type hint can be anything
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_of(inner)
        if found is not None:
            return found
    return None
