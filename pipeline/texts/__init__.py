"""Images -> texts: what can be read in them, for attributes and for searching."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.texts.measures import TEXT_MEASURES, measure_lines, measure_texts
    from pipeline.texts.rapidocr_reader import load_reader
    from pipeline.texts.read import TextBlock, read_texts, search_texts, stored_texts
    from pipeline.texts.reader import ReadText, TextReader

_HOMES = {
    "ReadText": "reader",
    "TEXT_MEASURES": "measures",
    "TextBlock": "read",
    "TextReader": "reader",
    "load_reader": "rapidocr_reader",
    "measure_lines": "measures",
    "measure_texts": "measures",
    "read_texts": "read",
    "search_texts": "read",
    "stored_texts": "read",
}

__all__ = [
    "TEXT_MEASURES",
    "ReadText",
    "TextBlock",
    "TextReader",
    "load_reader",
    "measure_lines",
    "measure_texts",
    "read_texts",
    "search_texts",
    "stored_texts",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Import on first use: nothing heavy is loaded by those who read no text."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
