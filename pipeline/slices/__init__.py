"""A table of attribute values and errors -> the slices where the errors are, and which hold up."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.slices.search import search_slices
    from pipeline.slices.search_notes import SearchNotes
    from pipeline.slices.weaknesses import SliceResult, audit_slices, find_weaknesses

__all__ = ["SearchNotes", "SliceResult", "audit_slices", "find_weaknesses", "search_slices"]

_HOMES = {
    "SearchNotes": "notes",
    "SliceResult": "weaknesses",
    "audit_slices": "weaknesses",
    "find_weaknesses": "weaknesses",
    "search_slices": "search",
}


def __getattr__(name: str) -> object:
    # numba and scipy take a second to import: only those who search pay for them.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"pipeline.slices.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
