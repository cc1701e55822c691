"""Answers of a user's file, row by row: what each says, and all that is wrong with the file."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipeline.checks.answer_samples import SampleIndex
from pipeline.checks.answer_words import AnswerError, read_answer_word, settle_answer
from pipeline.files.toml_file import nearest
from pipeline.tables import CHECKS, check
from pipeline.vocabulary import UNKNOWN

_DRAWS = ("value", "finding", "imported")
_SHOWN_ROWS = 10  # of each problem
_SHOWN_PROBLEMS = 40


@dataclass(frozen=True)
class ReadAnswers:
    """What a file of answers says.

    answers: CHECKS in the order of the file, the last of each checker, sample and attribute.
    problems: in words, each with its rows; their answers are left out. faulty: how many rows have a
    problem. unanswered: rows without an answer. replaced: rows that a later one replaced.
    """

    answers: pl.DataFrame
    problems: tuple[str, ...]
    faulty: int
    unanswered: int
    replaced: int


@dataclass
class _Problems:
    """Problems in words with the rows that have them."""

    rows: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def describe(self, name_rows: Callable[[Sequence[int]], str]) -> tuple[str, ...]:
        """Return each problem with its rows, the first ones to be found, and how many more."""
        found = [f"{problem}: {name_rows(rows)}" for problem, rows in self.rows.items()]
        if len(found) > _SHOWN_PROBLEMS + 1:
            rest = list(self.rows.values())[_SHOWN_PROBLEMS:]
            more = f"{len(rest):,} more problems, in {sum(map(len, rest)):,} rows"
            found = [*found[:_SHOWN_PROBLEMS], more]
        return tuple(found)


class _RowError(Exception):
    """What is wrong with one row, in words."""


def read_answers(
    table: pl.DataFrame,
    index: SampleIndex,
    *,
    values: Mapping[str, Sequence[str]],
    checker: str | None,
    now: str,
    first_line: int | None,
) -> ReadAnswers:
    """Read answers from a user's table.

    table: text columns; sample_id, path or annotation_id name the sample, attribute the attribute;
    value (the true value) or answer (right, wrong, cannot say) or both say what the person said.
    Further columns that are read: shown (the label that was judged; without it the label as it is
    now), checker, checked_at, draw, inclusion. values: of each attribute, without "unknown".
    checker: of rows that name none. now: ISO 8601, of rows without checked_at. first_line: of the
    file that holds the first row, None where rows are no lines.
    """
    problems = _Problems()
    said: dict[tuple[str, str, str], dict[str, object]] = {}
    unanswered = replaced = faulty = 0
    for number, raw in enumerate(table.iter_rows(named=True)):
        row = {name: cell.strip() or None for name, cell in raw.items() if cell is not None}
        if row.get("answer") is None and row.get("value") is None:
            unanswered += 1
            continue
        try:
            answer = _read_row(row, index, values=values, checker=checker, now=now)
        except _RowError as error:
            faulty += 1
            problems.rows[str(error)].append(number)
            continue
        key = (str(answer["checker"]), str(answer["sample_id"]), str(answer["attribute"]))
        replaced += said.pop(key, None) is not None
        said[key] = answer
    frame = pl.DataFrame(list(said.values()), schema=dict(CHECKS))
    return ReadAnswers(
        answers=check(frame, CHECKS, table="checks"),
        problems=problems.describe(lambda rows: _name_rows(rows, first_line)),
        faulty=faulty,
        unanswered=unanswered,
        replaced=replaced,
    )


def _read_row(
    row: Mapping[str, str | None],
    index: SampleIndex,
    *,
    values: Mapping[str, Sequence[str]],
    checker: str | None,
    now: str,
) -> dict[str, object]:
    """Return one row of CHECKS. Raises _RowError."""
    attribute = row.get("attribute")
    if attribute is None:
        raise _RowError("no attribute")
    if attribute not in values:
        raise _RowError(f"attribute {attribute!r} is not labelled here; "
                        f"{nearest(attribute, list(values))}")  # fmt: skip
    known = values[attribute]
    sample_id, fault = index.find_sample(row, attribute)
    if fault:
        raise _RowError(fault)
    by = row.get("checker") or checker
    if by is None:
        raise _RowError("no checker; give a column checker, or --checker NAME")
    shown = _read_value(row.get("shown"), attribute, known, column="shown")
    shown = shown or index.find_label(attribute, sample_id)
    answer, value = _read_cells(row, attribute, known)
    try:
        answer, value = settle_answer(answer, value, shown=shown, values=known)
    except AnswerError as error:
        raise _RowError(str(error)) from None
    return {
        "sample_id": sample_id,
        "attribute": attribute,
        "shown": shown,
        "answer": answer,
        "value": value,
        "checker": by,
        "checked_at": _read_time(row.get("checked_at")) or now,
        "draw": _read_draw(row.get("draw")),
        "inclusion": _read_inclusion(row.get("inclusion")),
    }


def _read_cells(
    row: Mapping[str, str | None], attribute: str, known: Sequence[str]
) -> tuple[str | None, str | None]:
    """Return answer and value; the word of an answer may be in either column."""
    cell, value = row.get("answer"), row.get("value")
    answer = None
    if cell is not None:
        answer = read_answer_word(cell)
        if answer is None:
            raise _RowError(f"answer {cell!r} is none of right, wrong, cannot say")
    elif value is not None and value not in (*known, UNKNOWN):
        answer = read_answer_word(value)
        value = value if answer is None else None
    return answer, _read_value(value, attribute, known, column="value")


def _read_value(
    cell: str | None, attribute: str, known: Sequence[str], *, column: str
) -> str | None:
    if cell is not None and cell not in (*known, UNKNOWN):
        raise _RowError(f"{column} {cell!r} is no value of {attribute!r}; {nearest(cell, known)}")
    return cell


def _read_time(cell: str | None) -> str | None:
    if cell is None:
        return None
    try:
        dt.datetime.fromisoformat(cell)
    except ValueError:
        raise _RowError(f"checked_at {cell!r} is no time as ISO 8601 writes it") from None
    return cell


def _read_draw(cell: str | None) -> str:
    if cell is not None and cell not in _DRAWS:
        raise _RowError(f"draw {cell!r} is none of {', '.join(_DRAWS)}")
    return cell or "imported"


def _read_inclusion(cell: str | None) -> float | None:
    if cell is None:
        return None
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise _RowError(f"inclusion {cell!r} is no probability above 0 and at most 1")
    return number


def _name_rows(rows: Sequence[int], first_line: int | None) -> str:
    word, first = ("row", 1) if first_line is None else ("line", first_line)
    shown = ", ".join(str(row + first) for row in rows[:_SHOWN_ROWS])
    more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
    return f"{word if len(rows) == 1 else word + 's'} {shown}{more}"
