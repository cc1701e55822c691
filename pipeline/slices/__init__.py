"""A table of attribute values and errors -> the slices where the errors are, with evidence."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.slices.options import AuditOptions, SearchOptions
    from pipeline.slices.search import search_slices
    from pipeline.slices.search_notes import SearchNotes
    from pipeline.slices.slice_audit import SliceResult, audit_slices, find_weaknesses

__all__ = [
    "AuditOptions",
    "SearchNotes",
    "SearchOptions",
    "SliceResult",
    "audit_slices",
    "find_weaknesses",
    "search_slices",
]

_HOMES = {
    "AuditOptions": "options",
    "SearchNotes": "search_notes",
    "SearchOptions": "options",
    "SliceResult": "slice_audit",
    "audit_slices": "slice_audit",
    "find_weaknesses": "slice_audit",
    "search_slices": "search",
}


def __getattr__(name: str) -> object:
    # numba and scipy take a second to import: only those who search pay for them.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"pipeline.slices.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
