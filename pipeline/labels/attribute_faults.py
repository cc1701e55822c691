"""Faults of attribute files, and the checks that several kinds share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.files.toml_file import Location
from pipeline.predicates import find_order_faults
from pipeline.vocabulary import UNKNOWN


@dataclass(frozen=True)
class Fault:
    """One thing wrong in an attribute file.

    level: an `error` stops an audit, a `fault` fails `attributes check`, a `warning` is only shown.
    text: the string inside the located key that is at fault, its `nth` occurrence.
    """

    location: Location
    message: str
    level: Literal["error", "fault", "warning"] = "error"
    text: str | None = None
    nth: int = 0


def list_values(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return name and strings of each value that is a list, also of a file with other faults."""
    values = data.get("values")
    if not isinstance(values, Mapping):
        return []
    return [
        (key, list_texts(texts)) for key, texts in values.items() if isinstance(texts, list | tuple)
    ]


def list_texts(listed: Any) -> list[str]:  # noqa: ANN401 - raw TOML
    """Return the items of a list as strings; nothing of what is no list."""
    return [str(text) for text in listed] if isinstance(listed, list | tuple) else []


def find_bad_names(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find values that are reserved, unnamed or empty."""
    for value, prompts in list_values(data):
        if value == UNKNOWN:
            message = "the value 'unknown' is given to samples that fit no other; rename this one"
            yield Fault(("values", value), message)
        if not value.strip():
            yield Fault(("values",), "a value needs a name")
        if not prompts:
            yield Fault(("values", value), f"value {value!r} is empty; expected strings")
        if any(not prompt.strip() for prompt in prompts):
            yield Fault(("values", value), f"value {value!r} holds an empty string")


def find_shared(data: Mapping[str, Any], *, what: str) -> Iterator[Fault]:
    """Find strings that two values have in common. what: "prompt" or "cell"."""
    owners: dict[str, str] = {}
    for value, prompts in list_values(data):
        for prompt in prompts:
            first = owners.setdefault(fold_text(prompt), value)
            if first != value:
                message = f"{what} {prompt!r} is in both {first!r} and {value!r}; keep one"
                yield Fault(("values", value), message, text=prompt)


def find_order_errors(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what keeps the values of an ordered attribute from having an order."""
    measured = data.get("kind") == "measured"
    if not (measured if data.get("ordered") is None else data.get("ordered")):
        return
    values = list_texts(data.get("names")) if measured else [name for name, _ in list_values(data)]
    if not values and not measured:
        yield Fault(("ordered",), "ordered = true needs [values], which say the order")
    place = ("names",) if measured else ("ordered",)
    for fault in find_order_faults([v for v in dict.fromkeys(values) if v != UNKNOWN]):
        yield Fault(place, f"runs of adjacent values are searched, and {fault}")


def fold_text(text: str) -> str:
    """Return a text in the form in which texts are compared: case, spaces and final dot aside."""
    return " ".join(text.casefold().rstrip(". ").split())
