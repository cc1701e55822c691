"""JSON documents with one or several faults, for property tests."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        ["a.png", "../a.png", "/a.png", "person", "\ud800", "1", "-0", 2**64, 1e300, -0.0]
    ),
    st.lists(st.one_of(st.integers(-9, 40), st.floats()), max_size=5),
    st.just({}),
)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """List every (container, key) of a JSON document."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        found += [(value, key) for key in value]
    elif isinstance(value, list):
        found += [(value, index) for index in range(len(value))]
    for container, key in list(found):
        found += spots(container[key])
    return found


@st.composite
def mutated(draw: Callable[..., Any], document: Any) -> Any:
    """Draw the document with one to four values replaced, removed or repeated."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        choices = spots(changed)
        if not choices:
            break
        container, key = choices[draw(st.integers(0, len(choices) - 1))]
        action = draw(st.sampled_from(["replace", "remove", "repeat"]))
        if action == "replace":
            container[key] = draw(VALUES)
        elif action == "remove":
            del container[key]
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
    return changed


@st.composite
def torn(draw: Callable[..., Any], document: Any) -> bytes:
    """Draw the document's bytes cut off, or with some bytes overwritten."""
    data = bytearray(json.dumps(document).encode("utf-8"))
    if draw(st.booleans()):
        return bytes(data[: draw(st.integers(0, len(data) - 1))])
    for _ in range(draw(st.integers(1, 5))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)
