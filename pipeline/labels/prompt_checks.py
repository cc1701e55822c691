"""Checks of the prompts of an attribute."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.files.toml_file import Location
from pipeline.labels.attribute_faults import (
    Fault,
    find_bad_names,
    find_shared,
    fold_text,
    list_texts,
    list_values,
)

MIN_PROMPTS = 4
# Words that an image-text model reads as the thing they deny.
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|lacking|lacks|absent|missing)\b"
    r"|n['\u2019]t\b",
    re.IGNORECASE,
)


def find_prompt_errors(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what makes an attribute of prompts unusable."""
    for template in list_texts(data.get("templates")):
        if template.count("{}") != 1:
            message = f"template {template!r} needs {{}} once, where the prompt goes"
            yield Fault(("templates",), message, text=template)
    if data.get("templates", ("{}",)) in ((), []):
        yield Fault(("templates",), 'expected at least one template, e.g. "a photo of {}."')
    values = data.get("values")
    count = len(values) if isinstance(values, Mapping) else 0
    if count < 2:
        message = f"expected two values or more, found {count}"
        yield Fault(("values",), f"{message}; list the prompts of each under [values]")
    if data.get("precision") is not None and data.get("min_margin") != "auto":
        yield Fault(("precision",), 'precision is only read with min_margin = "auto"')
    yield from find_bad_names(data)
    yield from find_shared(data, what="prompt")


def find_weak_wording(data: Mapping[str, Any]) -> list[Fault]:
    """Return what an image-text model is known to handle badly in the prompts of `data`."""
    found: list[Fault] = []
    for key, prompts in (("templates", list_texts(data.get("templates"))), *list_values(data)):
        location: Location = ("templates",) if key == "templates" else ("values", key)
        for prompt in prompts:
            if match := _NEGATION.search(prompt):
                message = (
                    f"{prompt!r} says {match.group()!r}, which an image-text model does not read; "
                    "describe what is seen instead"
                )
                found.append(Fault(location, message, "fault", prompt))
        found += _find_repeats(location, prompts)
    for value, prompts in list_values(data):
        if len(prompts) < MIN_PROMPTS:
            message = (
                f"value {value!r} has {len(prompts)} wordings, expected {MIN_PROMPTS} or more "
                "of the same thing"
            )
            found.append(Fault(("values", value), message, "warning"))
    return found


def _find_repeats(location: Location, prompts: Collection[str]) -> Iterator[Fault]:
    earlier: list[str] = []
    for prompt in prompts:
        if fold_text(prompt) in earlier:
            same = [text for text in prompts if text == prompt]
            message = f"{prompt!r} is repeated and counts twice; reword or remove it"
            yield Fault(location, message, "fault", prompt, nth=len(same) - 1)
        earlier.append(fold_text(prompt))
