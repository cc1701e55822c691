"""Python's garbage collector at rest where millions of small records are made."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def rest_collector() -> Iterator[None]:
    """Keep the garbage collector from walking new records again and again; also a decorator.

    For work that makes lists and dictionaries by the million and no cycles: they go when the last
    name for them goes, as ever. It took two thirds of the time of parsing and matching.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
