"""Checks of the bins of a measured attribute."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipeline.files.toml_file import nearest
from pipeline.labels.attribute_faults import Fault, list_texts
from pipeline.labels.measure_names import BOX_MEASURES, MEASURE_NAMES
from pipeline.vocabulary import UNKNOWN


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


def find_bin_errors(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what makes a measured attribute unusable."""
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
    names = list_texts(names)
    if len(names) != bins:
        yield Fault(("names",), f"{len(names)} names for {bins} bins; name each, lowest first")
    if len(set(names)) != len(names):
        yield Fault(("names",), f"names are repeated: {list(names)}")
    if UNKNOWN in names:
        yield Fault(("names",), "the name 'unknown' is for samples without a measure; rename it")
