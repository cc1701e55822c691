"""What one call of `weakspot search` asks for, and what does not go together."""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    from pipeline.images.crop import Box


class ErrorName(StrEnum):
    """Which samples by the error of a system."""

    above = "above"
    zero = "zero"


@dataclass(frozen=True)
class Asked:
    """The options of one call, as their helps say."""

    texts: tuple[str, ...]
    without: tuple[str, ...]
    images: tuple[str, ...]
    box: "Box | None"
    inside: str | None
    finding: int | None
    errors: ErrorName | None
    system: str | None
    top: int
    unlike: bool
    diverse: float | None
    int8: bool
    out: Path | None
    save: str | None
    json_output: bool

    @property
    def words(self) -> str:
        """The query as a person would write it."""
        parts = [" / ".join([*self.texts, *self.images])]
        parts += [f"not {text}" for text in self.without]
        return ("least like " if self.unlike else "") + ", ".join(parts)


def describe_query(asked: Asked) -> dict[str, object]:
    """Return what --json says of the query."""
    return {
        "texts": asked.texts,
        "not": asked.without,
        "images": asked.images,
        "box": asked.box,
        "in": asked.inside,
        "finding": asked.finding,
        "errors": None if asked.errors is None else asked.errors.value,
        "system": asked.system,
        "unlike": asked.unlike,
        "diverse": asked.diverse,
    }


def check_options(
    asked: Asked, *, captions: Path | None, parts: bool = False, whole_images: bool = False
) -> None:
    """Raise ConfigError for options that do not go together."""
    of_samples = {
        "--whole-images": whole_images, "--in": asked.inside, "--finding": asked.finding,
        "--errors": asked.errors, "--system": asked.system, "--save": asked.save,
        "--texts": captions,
    }  # fmt: skip
    refused = [name for name, value in of_samples.items() if value]
    if parts and refused:
        raise ConfigError(
            f"--parts searches windows, which have no labels or errors: not with {refused[0]}"
        )
    if captions is not None:
        if len(asked.images) != 1 or asked.texts or asked.without or asked.save or asked.out:
            raise ConfigError("--texts goes with one --image, and with --box, --top and --json")
        return
    if not asked.texts and not asked.images:
        raise ConfigError('say what to search for: a text such as "a person in a hat", or --image')
    if asked.box is not None and len(asked.images) != 1:
        raise ConfigError("--box is a part of one --image; give exactly one")
    if asked.save and (asked.unlike or (asked.texts and asked.images)):
        raise ConfigError("--save keeps texts or images; not both at once, and not --unlike")


def clean_texts(texts: list[str] | None) -> tuple[str, ...]:
    """Return distinct texts without spaces around; raises ConfigError for an empty one."""
    cleaned = [text.strip() for text in texts or ()]
    if "" in cleaned:
        raise ConfigError("a text to search for is empty")
    return tuple(dict.fromkeys(cleaned))


def read_box(text: str) -> "Box":
    """Read "X,Y,W,H" in pixels; raises ConfigError for anything else."""
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--box {text}: expected X,Y,W,H in pixels") from None
    if not all(map(math.isfinite, (x, y, w, h))) or w <= 0 or h <= 0:
        raise ConfigError(f"--box {text}: expected a width and height above 0")
    return x, y, w, h
