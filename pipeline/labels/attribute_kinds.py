"""The kinds of attributes: which keys of an attribute file each reads, and its checks.

How a kind labels samples is in `pipeline.labels.labellers` and the module that it names.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.files.toml_file import Location
from pipeline.labels.attribute_faults import Fault, find_bad_names, find_order_errors, find_shared
from pipeline.labels.bin_checks import find_bin_errors
from pipeline.labels.prompt_checks import find_prompt_errors, find_weak_wording


def find_cell_errors(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what makes a given attribute unusable."""
    yield from find_bad_names(data)
    yield from find_shared(data, what="cell")


@dataclass(frozen=True)
class AttributeKind:
    """One kind of attribute.

    name: as `kind` in an attribute file names it. keys: those that not every kind reads; on another
    kind they are errors. find_errors: what makes the keys of a file unusable. find_advice: faults
    and warnings that leave it usable.
    """

    name: str
    keys: tuple[str, ...]
    find_errors: Callable[[Mapping[str, Any]], Iterable[Fault]]
    find_advice: Callable[[Mapping[str, Any]], Iterable[Fault]] = lambda _: ()


_KINDS = (
    AttributeKind(
        "prompts",
        ("ensemble", "min_margin", "precision", "templates", "values"),
        find_prompt_errors,
        find_weak_wording,
    ),
    AttributeKind("measured", ("measure", "edges", "quantiles", "names"), find_bin_errors),
    AttributeKind("given", ("column", "values"), find_cell_errors),
)
KINDS: Mapping[str, AttributeKind] = {kind.name: kind for kind in _KINDS}


def find_errors(data: Mapping[str, Any], *, broken: Collection[Location] = ()) -> list[Fault]:
    """Return what makes `data`, the keys of an attribute, unusable.

    broken: where a type is wrong already; no further faults of those keys are listed.
    """
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        return []  # the check of the key `kind` reports that
    found = [
        *_find_foreign_keys(data, kind),
        *kind.find_errors(data),
        *find_order_errors(data),
    ]
    known = set(broken) | {location[:2] for location in broken}
    return [f for f in found if f.location not in known and f.location[:1] not in known]


def find_advice(data: Mapping[str, Any]) -> list[Fault]:
    """Return the faults and warnings of `data`, the keys of an attribute, that leave it usable."""
    kind = KINDS.get(str(data.get("kind")))
    return [] if kind is None else list(kind.find_advice(data))


def _find_foreign_keys(data: Mapping[str, Any], kind: AttributeKind) -> Iterator[Fault]:
    for other in _KINDS:
        for key in other.keys:
            if key in data and key not in kind.keys:
                message = f"{key!r} is not read when kind = {kind.name!r}; it knows "
                yield Fault((key,), message + ", ".join(kind.keys))
