"""What can be wrong with an attribute file beyond the types of its keys."""

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.files.toml_file import Location, nearest
from pipeline.labels.measure_names import BOX_MEASURES, MEASURE_NAMES
from pipeline.vocabulary import UNKNOWN

MIN_PROMPTS = 4

# Keys that only one kind of attribute reads; on another kind they would be ignored silently.
_KEYS_OF_KIND = {
    "prompts": ("ensemble", "min_margin", "templates", "values"),
    "measured": ("measure", "edges", "quantiles", "names"),
    "given": ("column", "values"),
}
# Words that an image-text model reads as the thing they deny.
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|lacking|lacks|absent|missing)\b"
    r"|n['\u2019]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fault:
    """One thing wrong in an attribute file.

    level: an `error` stops an audit, a `fault` fails `attributes check`, a `warning` is only told.
    text: the string inside the located key that is meant, its `nth` occurrence.
    """

    location: Location
    message: str
    level: Literal["error", "fault", "warning"] = "error"
    text: str | None = None
    nth: int = 0


def find_errors(data: Mapping[str, Any], *, broken: Collection[Location] = ()) -> list[Fault]:
    """Return what makes `data`, the keys of an attribute, unusable.

    broken: where the type is wrong already; nothing more is said about those keys.
    """
    kind = str(data.get("kind"))
    if kind not in _KEYS_OF_KIND:
        return []  # the type check of `kind` tells that
    rules = {"prompts": _find_prompt_errors, "measured": _find_bin_errors, "given": _find_cells}
    found = [*_find_foreign_keys(data, kind), *rules[kind](data)]
    told = set(broken) | {location[:2] for location in broken}
    return [f for f in found if f.location not in told and f.location[:1] not in told]


def find_weak_wording(data: Mapping[str, Any]) -> list[Fault]:
    """Return what an image-text model is known to handle badly in the prompts of `data`."""
    if data.get("kind") != "prompts":
        return []
    found: list[Fault] = []
    for key, prompts in (("templates", _texts(data.get("templates"))), *_values(data)):
        location: Location = ("templates",) if key == "templates" else ("values", key)
        for prompt in prompts:
            if match := _NEGATION.search(prompt):
                message = (
                    f"{prompt!r} says {match.group()!r}, which an image-text model does not read; "
                    "describe what is seen instead"
                )
                found.append(Fault(location, message, "fault", prompt))
        found += _find_repeats(location, prompts)
    for value, prompts in _values(data):
        if len(prompts) < MIN_PROMPTS:
            message = (
                f"value {value!r} has {len(prompts)} wordings, expected {MIN_PROMPTS} or more "
                "of the same thing"
            )
            found.append(Fault(("values", value), message, "warning"))
    return found


def list_cuts(edges: Collection[float]) -> tuple[float, ...]:
    """Return the edges that separate two bins: outer ones (a first 0 or -inf, a last inf) do not.

    Every measure is 0 or more, so nothing lies below a first edge of 0.
    """
    cuts = list(edges)
    if cuts and cuts[0] in (0.0, float("-inf")):
        cuts = cuts[1:]
    if cuts and cuts[-1] == float("inf"):
        cuts = cuts[:-1]
    return tuple(float(cut) for cut in cuts)


def _values(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the values that are lists, whatever else the file holds."""
    values = data.get("values")
    if not isinstance(values, Mapping):
        return []
    return [
        (key, _texts(texts)) for key, texts in values.items() if isinstance(texts, list | tuple)
    ]


def _texts(listed: Any) -> list[str]:  # noqa: ANN401 - raw TOML
    return [str(text) for text in listed] if isinstance(listed, list | tuple) else []


def _find_foreign_keys(data: Mapping[str, Any], kind: str) -> Iterator[Fault]:
    known = _KEYS_OF_KIND[kind]
    for keys in _KEYS_OF_KIND.values():
        for key in keys:
            if key in data and key not in known:
                message = f"{key!r} is not read when kind = {kind!r}; it knows {', '.join(known)}"
                yield Fault((key,), message)


def _find_prompt_errors(data: Mapping[str, Any]) -> Iterator[Fault]:
    for template in _texts(data.get("templates")):
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
    yield from _find_bad_names(data)
    yield from _find_shared(data, what="prompt")


def _find_cells(data: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _find_bad_names(data)
    yield from _find_shared(data, what="cell")


def _find_bad_names(data: Mapping[str, Any]) -> Iterator[Fault]:
    for value, prompts in _values(data):
        if value == UNKNOWN:
            message = "the value 'unknown' is given to samples that fit no other; rename this one"
            yield Fault(("values", value), message)
        if not value.strip():
            yield Fault(("values",), "a value needs a name")
        if not prompts:
            yield Fault(("values", value), f"value {value!r} is empty; expected strings")
        if any(not prompt.strip() for prompt in prompts):
            yield Fault(("values", value), f"value {value!r} holds an empty string")


def _find_shared(data: Mapping[str, Any], *, what: str) -> Iterator[Fault]:
    """Find strings that stand for two values, so that neither can win."""
    seen: dict[str, str] = {}
    for value, prompts in _values(data):
        for prompt in prompts:
            first = seen.setdefault(_fold(prompt), value)
            if first != value:
                message = f"{what} {prompt!r} stands for both {first!r} and {value!r}; keep one"
                yield Fault(("values", value), message, text=prompt)


def _find_repeats(location: Location, prompts: Collection[str]) -> Iterator[Fault]:
    seen: list[str] = []
    for prompt in prompts:
        if _fold(prompt) in seen:
            same = [text for text in prompts if text == prompt]
            message = f"{prompt!r} is repeated and counts twice; reword or remove it"
            yield Fault(location, message, "fault", prompt, nth=len(same) - 1)
        seen.append(_fold(prompt))


def _fold(text: str) -> str:
    return " ".join(text.casefold().rstrip(". ").split())


def _find_bin_errors(data: Mapping[str, Any]) -> Iterator[Fault]:
    measure = data.get("measure")
    if measure is None:
        yield Fault(("kind",), f"key 'measure' is missing; known: {', '.join(MEASURE_NAMES)}")
    elif measure not in MEASURE_NAMES:
        message = f"unknown measure {measure!r}; {nearest(str(measure), MEASURE_NAMES)}"
        yield Fault(("measure",), message)
    elif measure in BOX_MEASURES and data.get("applies_to") == "image":
        message = f"measure {measure!r} is of an object's box, and an image has none"
        yield Fault(("applies_to",), f'{message}; expected applies_to = "object"')
    edges, quantiles = data.get("edges"), data.get("quantiles")
    if (edges is None) == (quantiles is None):
        found = "neither" if edges is None else "both"
        message = f"expected either edges or quantiles, found {found}; e.g. quantiles = 4"
        yield Fault(("kind",) if edges is None else ("quantiles",), message)
    bins = quantiles
    if isinstance(edges, list | tuple) and all(isinstance(edge, int | float) for edge in edges):
        if not all(low < high for low, high in itertools.pairwise(edges)):
            yield Fault(("edges",), f"edges are not increasing: {list(edges)}")
        elif not list_cuts(edges) or any(edge != edge for edge in edges):
            message = f"edges {list(edges)} make a single bin; add one between"
            yield Fault(("edges",), message)
        bins = len(list_cuts(edges)) + 1
    yield from _find_name_errors(data.get("names"), bins)


def _find_name_errors(names: Any, bins: Any) -> Iterator[Fault]:  # noqa: ANN401 - raw TOML
    if not isinstance(names, list | tuple) or not isinstance(bins, int):
        return
    names = _texts(names)
    if len(names) != bins:
        yield Fault(("names",), f"{len(names)} names for {bins} bins; name each, lowest first")
    if len(set(names)) != len(names):
        yield Fault(("names",), f"names are repeated: {list(names)}")
    if UNKNOWN in names:
        yield Fault(("names",), "the name 'unknown' is for samples without a measure; rename it")
