"""JSON files of records, turned into columns; every fault names its record."""

import itertools
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pipeline.arrays import Floats
from pipeline.exceptions import WeakspotError
from pipeline.files.gc_pause import pause_gc
from pipeline.files.regular_file import read_regular

Record = dict[str, Any]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_REQUIRED = object()
_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_LARGEST_ID = 2**63 - 1


def read_json(path: Path, *, error: type[WeakspotError]) -> Any:  # noqa: ANN401 - any JSON
    """Read a JSON file; NaN and Infinity are let through for the checks of their columns.

    Raises `error` naming the file and, for bad syntax, the line and column.
    """
    try:
        data = read_regular(path).removeprefix(_BYTE_ORDER_MARK)
    except FileNotFoundError:
        raise error(f"{path}: there is no such file") from None
    except OSError as reason:
        raise error(f"{path}: cannot be read: {reason.strerror or reason}") from None
    if not data.strip():
        raise error(f"{path}: the file is empty; expected JSON")
    try:
        with pause_gc():
            return orjson.loads(data)
    except orjson.JSONDecodeError as reason:
        if reason.pos > 0 and reason.pos >= len(data.rstrip()):
            # No reader gets past the end: the slow one would take gigabytes to say the same.
            where = f"line {reason.lineno} column {reason.colno}"
            message = f"{where}: {reason.msg} (the file may be cut off)"
            raise error(f"{path}: is not JSON: {message}") from None
        return _read_leniently(path, data, error=error)


def _read_leniently(path: Path, data: bytes, *, error: type[WeakspotError]) -> Any:  # noqa: ANN401 - as above
    """Read JSON with the standard library, which takes NaN and huge numbers, or say why not."""
    try:
        return json.loads(data.decode("utf-8"))
    except json.JSONDecodeError as reason:
        cut = " (the file may be cut off)" if reason.pos >= len(data.rstrip()) - 1 else ""
        where = f"line {reason.lineno} column {reason.colno}"
        raise error(f"{path}: is not JSON: {where}: {reason.msg}{cut}") from None
    except UnicodeDecodeError as reason:
        raise error(f"{path}: is not JSON: byte {reason.start} is not UTF-8") from None
    except (RecursionError, ValueError) as reason:  # nested too deep; a number of 5,000 digits
        raise error(f"{path}: is not JSON that can be read: {reason}") from None


@dataclass
class Records:
    """Records of one list of a JSON file. Bad ones are noted in `faults` by their position."""

    items: Sequence[Record]
    faults: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> "Records":
        """Take a JSON list; items that are no objects become faults."""
        records = cls(items=values)
        if not set(map(type, values)) <= {dict}:
            for index, value in enumerate(values):
                if not isinstance(value, dict):
                    records.note(index, f"is {shorten(value)}, expected an object")
            records.items = [value if isinstance(value, dict) else {} for value in values]
        return records

    def note(self, index: int, fault: str) -> None:
        """Note a fault of a record; the first one counts."""
        self.faults.setdefault(index, fault)

    def ids(self, key: str) -> list[str | None]:
        """Return the ids of a column as text: 7, 7.0 and "7" are the same id."""
        values = self._typed(key, (int, str, float), default=_REQUIRED)
        if set(map(type, values)) <= {int}:
            return [str(value) for value in values]
        return [self._one_id(index, key, value) for index, value in enumerate(values)]

    def texts(self, key: str) -> list[str | None]:
        """Return a column of texts; null where it is missing or no text, which is a fault."""
        values = self._typed(key, (str,), default=_REQUIRED)
        for index, value in enumerate(values):
            if value is not None and not _is_encodable(value):
                self.note(index, f"{key} is not valid Unicode text")
                values[index] = None
        return values

    def numbers(self, key: str, *, default: float | None = None) -> Floats:
        """Return a column of finite numbers (n,); NaN where there is a fault.

        Without a `default` the key is required.
        """
        fallback = _REQUIRED if default is None else default
        values = self._typed(key, (int, float), default=fallback)
        numbers = _to_floats(values)  # (n,)
        for index in np.flatnonzero(~np.isfinite(numbers)).tolist():
            self.note(index, f"{key} is {shorten(values[index])}, expected a finite number")
        return numbers

    def flags(self, key: str) -> list[bool]:
        """Return a column of flags written 0, 1, false or true; false where it is missing."""
        values = self._typed(key, (int, bool), default=0)
        if set(values) <= {0, 1}:
            return list(map(bool, values))
        for index, value in enumerate(values):
            if value not in (0, 1, None):
                self.note(index, f"{key} is {shorten(value)}, expected 0 or 1")
        return [bool(value) for value in values]

    def boxes(self, key: str) -> Floats:
        """Return a column of boxes x, y, width, height (n, 4); NaN where there is a fault."""
        values = self._typed(key, (list,), default=_REQUIRED)
        if None not in values and set(map(len, values)) <= {4} and _are_numbers(values):
            numbers = _to_floats(list(itertools.chain.from_iterable(values)))
        else:
            rows = [self._one_box(index, key, value) for index, value in enumerate(values)]
            numbers = np.asarray(rows, dtype=np.float64)
        boxes = numbers.reshape(len(values), 4)  # (n, 4)
        for index in np.flatnonzero(~np.isfinite(boxes).all(axis=1)).tolist():
            self.note(index, f"{key} is {shorten(values[index])}, expected four finite numbers")
        return boxes

    def _typed(self, key: str, types: Collection[type], *, default: object) -> list[Any]:
        """Return a column whose values are of `types` exactly, or null with a fault."""
        values = [record.get(key, default) for record in self.items]
        if set(map(type, values)) <= set(types):
            return values
        expected = "a list" if list in types else " or ".join(_WORDS[kind] for kind in types)
        for index, value in enumerate(values):
            if value is _REQUIRED:
                self.note(index, f"{key} is missing")
                values[index] = None
            elif type(value) not in types:
                self.note(index, f"{key} is {shorten(value)}, expected {expected}")
                values[index] = None
        return values

    def _one_id(self, index: int, key: str, value: int | float | str | None) -> str | None:
        if value is None:
            return None
        if isinstance(value, float):
            if not value.is_integer():
                self.note(index, f"{key} is {shorten(value)}, expected a whole number or a text")
                return None
            value = int(value)
        if isinstance(value, str) and (not value or not _is_encodable(value)):
            self.note(index, f"{key} is {shorten(value)}, expected an id")
            return None
        if isinstance(value, int) and abs(value) > _LARGEST_ID:
            self.note(index, f"{key} is a number beyond 64 bits")
            return None
        return str(value)

    def _one_box(self, index: int, key: str, value: list[Any] | None) -> list[float]:
        if value is not None and len(value) == 4 and {type(part) for part in value} <= {int, float}:
            return [_to_float(number) for number in value]
        if value is not None:
            self.note(index, f"{key} is {shorten(value)}, expected [x, y, width, height]")
        return [math.nan] * 4


def shorten(value: object) -> str:
    """Return a value as JSON-like text of at most some 40 characters."""
    text = repr(value).encode("ascii", "backslashreplace").decode("ascii")
    return text if len(text) <= 40 else f"{text[:37]}..."


def _are_numbers(rows: Sequence[Sequence[object]]) -> bool:
    return set(map(type, itertools.chain.from_iterable(rows))) <= {int, float}


def _to_floats(values: Sequence[float | None]) -> Floats:
    """Return (n,) numbers; NaN for null, infinity for what no float can hold."""
    try:
        return np.array(values, dtype=np.float64)  # null becomes NaN
    except OverflowError:
        return np.array([_to_float(value) for value in values], dtype=np.float64)


def _to_float(value: float | None) -> float:
    try:
        return math.nan if value is None else float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf


def _is_encodable(text: str) -> bool:
    """Return whether a text can be written as UTF-8: JSON may hold half of a surrogate pair."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
