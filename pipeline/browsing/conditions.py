"""Conditions on samples, such as `hat = yes and error > 0`, as Polars expressions.

    condition  = all {"or" all}
    all        = one {"and" one}
    one        = "not" one | "(" condition ")" | comparison
    comparison = name ("=" | "!=") value | name "in" "(" value {"," value} ")"
               | name ("=" | "!=" | "<" | "<=" | ">" | ">=") number
               | name "contains" text

Predicates are accepted as findings write them: `height <= 32`, `height in (32, 128]`, and runs of
an ordered attribute, `age = adult or senior`. What is not known of a sample fits no comparison. The
text never reaches a database.
"""

import functools
import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from pipeline.browsing.condition_columns import Columns, ConditionColumn
from pipeline.browsing.condition_reader import ConditionReader
from pipeline.files.toml_file import nearest

MOST_CHARACTERS: Final = 2000
_FOLLOWS = re.compile(r"\s*[=<>!]|\s+(?:in|contains)\b", re.IGNORECASE)  # a name
_DEEPEST = 24  # brackets and `not` within each other
_COMPARE: Mapping[str, Callable[[pl.Expr, float], pl.Expr]] = {
    "<=": operator.le, ">=": operator.ge, "!=": operator.ne,
    "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip


def parse_condition(text: str, columns: Columns) -> pl.Expr:
    """Return the expression of a condition: true, false, never null.

    columns: what its names mean. An empty text fits every sample. Raises ConditionError, with the
    place in the text, for anything else than a condition on these columns.
    """
    reader = ConditionReader(text)
    if len(text) > MOST_CHARACTERS:
        reader.refuse(
            f"it has {len(text):,} characters, at most {MOST_CHARACTERS:,} are read",
            position=MOST_CHARACTERS,
        )
    if reader.at_end:
        return pl.lit(value=True)
    found = _Parser(reader, columns).read_any(0)
    if not reader.at_end:
        reader.refuse(f"expected `and`, `or` or the end, {reader.show_rest()}")
    return found


class _Parser:
    """A descent through the grammar above, one function a rule."""

    def __init__(self, reader: ConditionReader, columns: Columns) -> None:
        self.reader = reader
        self.columns = columns
        self._names = sorted(columns, key=lambda name: (-len(name), name))

    def read_any(self, depth: int) -> pl.Expr:
        parts = [self._read_all(depth)]
        while self.reader.take_word("or"):
            parts.append(self._read_all(depth))
        return functools.reduce(operator.or_, parts)

    def _read_all(self, depth: int) -> pl.Expr:
        parts = [self._read_one(depth)]
        while self.reader.take_word("and"):
            parts.append(self._read_one(depth))
        return functools.reduce(operator.and_, parts)

    def _read_one(self, depth: int) -> pl.Expr:
        if depth > _DEEPEST:
            self.reader.refuse(f"more than {_DEEPEST} brackets within each other")
        if self.reader.take_word("not"):
            return ~self._read_one(depth + 1)
        if self.reader.take("("):
            inside = self.read_any(depth + 1)
            if not self.reader.take(")"):
                self.reader.refuse(f"expected `)`, {self.reader.show_rest()}")
            return inside
        return self._read_comparison().fill_null(value=False)

    def _read_comparison(self) -> pl.Expr:
        start = self.reader.position
        name = self._take_name()
        if name is None:
            self.reader.refuse(f"expected a name, {self.reader.show_rest()}")
        if name not in self.columns:
            self.reader.refuse(f"no {name!r} is known here; {nearest(name, self.columns)}",
                               position=start)  # fmt: skip
        column = self.columns[name]
        if column.kind == "number":
            return self._compare_number(name, column)
        return self._compare_text(name, column)

    def _take_name(self) -> str | None:
        """Read a name, the longest known one that fits and an operator follows, else any word."""
        text, start = self.reader.text, self.reader.position
        for name in self._names:
            if text.startswith(name, start) and _FOLLOWS.match(text, start + len(name)):
                return self.reader.take(name)
        return self.reader.take_text()

    def _compare_number(self, name: str, column: ConditionColumn) -> pl.Expr:
        sign = self.reader.take(*_COMPARE)
        if sign is None:
            self.reader.refuse(
                f"{name!r} is a number: expected =, !=, <, <=, > or >=, {self.reader.show_rest()}"
            )
        number = self.reader.take_number()
        if number is None:
            self.reader.refuse(f"{name} {sign}: expected a number, {self.reader.show_rest()}")
        return _COMPARE[sign](pl.col(column.column), number)

    def _compare_text(self, name: str, column: ConditionColumn) -> pl.Expr:
        bound = self.reader.take_known(one for one in column.written if one[:1] in ("<", ">"))
        if bound is not None:  # a bin as findings write it: height <= 32
            return _is_one_of(column, column.allowed[bound])
        if column.kind == "text" and self.reader.take_word("contains"):
            part = self.reader.take_text()
            if not part:
                self.reader.refuse(f"{name} contains: expected a text, {self.reader.show_rest()}")
            return pl.col(column.column).str.contains(part, literal=True)
        if self.reader.take_word("in"):
            return _is_one_of(column, self._read_values(name, column))
        sign = self.reader.take("!=", "=")
        if sign is None:
            contains = " or contains" if column.kind == "text" else ""
            self.reader.refuse(
                f"{name!r} has values, no numbers: expected =, != or in{contains}, "
                f"{self.reader.show_rest()}"
            )
        found = _is_one_of(column, self._read_value(name, column))
        return found if sign == "=" else ~found

    def _read_values(self, name: str, column: ConditionColumn) -> tuple[str, ...]:
        """Read a bin such as (32, 128], or a list of values in brackets."""
        bracketed = self.reader.take_known(one for one in column.written if one[:1] in ("(", "["))
        if bracketed is not None:
            return column.allowed[bracketed]
        if not self.reader.take("("):
            self.reader.refuse(f"{name} in: expected `(`, {self.reader.show_rest()}")
        values = [*self._read_value(name, column)]
        while self.reader.take(","):
            values += self._read_value(name, column)
        if not self.reader.take(")"):
            self.reader.refuse(f"{name} in: expected `,` or `)`, {self.reader.show_rest()}")
        return tuple(values)

    def _read_value(self, name: str, column: ConditionColumn) -> tuple[str, ...]:
        start = self.reader.position
        known = self.reader.take_known(column.written)
        if known is not None:
            return column.allowed[known]
        value = self.reader.take_text()
        if value is None:
            self.reader.refuse(f"{name}: expected a value, {self.reader.show_rest()}")
        if column.kind == "text":
            return (value,)
        if value not in column.allowed:
            self.reader.refuse(f"{name} has no value {value!r}; {nearest(value, column.allowed)}",
                               position=start)  # fmt: skip
        return column.allowed[value]


def _is_one_of(column: ConditionColumn, values: tuple[str, ...]) -> pl.Expr:
    own = pl.col(column.column)
    return functools.reduce(operator.or_, [own == value for value in dict.fromkeys(values)])
