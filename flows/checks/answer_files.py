"""Answers as files: those made elsewhere are read, what is to be answered is written."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.checks.session import CheckSession
from pipeline.checks.answer_rows import ReadAnswers, read_answers
from pipeline.checks.answer_samples import SampleIndex
from pipeline.exceptions import ConfigError, TableError
from pipeline.files.csv_cells import escape_formulas, unescape_formulas
from pipeline.files.json_file import read_json
from pipeline.files.table_file import read_table, to_text
from pipeline.files.whole_files import replace_file
from pipeline.workspace.journals.journal_lines import Answer

SUFFIXES = (".csv", ".parquet", ".json")
_LINES = (".csv", ".tsv", ".txt")  # rows are lines, the header is the first
_NAMES = ("sample_id", "path", "annotation_id")


@dataclass(frozen=True)
class Imported:
    """What an import did: new answers, answers that replaced earlier ones, those known already.

    problems: rows that were left out, in words. repeated: rows that a later one replaced.
    """

    new: int
    replaced: int
    unchanged: int
    unanswered: int
    repeated: int
    faulty: int
    problems: tuple[str, ...]


def import_answers(
    session: CheckSession, path: Path, *, checker: str | None, skip_faulty: bool = False
) -> Imported:
    """Keep the answers of a file; the same file a second time changes nothing.

    checker: of rows that name none. skip_faulty: keep the other rows where some are faulty. Raises
    TableError for a file that cannot be read or has no such columns and, unless they are skipped,
    for faulty rows, all listed; then nothing is kept.
    """
    table, first_line = _read_file(path)
    read = read_answers(
        table,
        SampleIndex(session.samples, session.labels),
        values=session.values,
        checker=checker,
        now=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        first_line=first_line,
    )
    if read.problems and not skip_faulty:
        where = (
            f"{path}: {read.faulty:,} of {table.height:,} rows are faulty, nothing was imported "
            "(--skip-faulty takes the others)"
        )
        raise TableError.from_problems(where, read.problems)
    return _keep(session, read)


def write_sheet(session: CheckSession, rows: pl.DataFrame, target: Path) -> None:
    """Write what is to be checked, with empty cells for the answers, as `import_answers` reads it.

    rows: DRAWN. Raises ConfigError for another kind of file, one that is there and may hold
    answers, or one that cannot be written.
    """
    _check_target(target)
    choices = {name: " | ".join(values) for name, values in session.values.items()}
    sheet = rows.join(
        session.samples.select(_NAMES), on="sample_id", how="left", maintain_order="left"
    ).select(
        "path",
        "annotation_id",
        "attribute",
        "shown",
        answer=pl.lit(None, dtype=pl.String),
        value=pl.lit(None, dtype=pl.String),
        values=pl.col("attribute").replace_strict(choices, return_dtype=pl.String),
        sample_id="sample_id",
        draw="draw",
        inclusion="inclusion",
    )
    try:
        with replace_file(target) as partial:
            if target.suffix == ".parquet":
                sheet.write_parquet(partial)
            elif target.suffix == ".json":
                sheet.write_json(partial)
            else:
                escape_formulas(sheet).write_csv(partial)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}") from None


def _check_target(target: Path) -> None:
    if target.suffix not in SUFFIXES:
        raise ConfigError(f"{target}: write to a file that ends in {', '.join(SUFFIXES)}")
    if not target.parent.is_dir():
        raise ConfigError(f"{target}: there is no folder {target.parent}; make it first")
    if target.exists():
        raise ConfigError(f"{target} is there and may hold answers; import it, or name a new file")


def _keep(session: CheckSession, read: ReadAnswers) -> Imported:
    """Append to the journal what it does not hold yet."""
    before = {
        (row["checker"], row["sample_id"], row["attribute"]): row
        for row in session.journal.read().iter_rows(named=True)
    }
    fresh, replaced = [], 0
    for row in read.answers.iter_rows(named=True):
        known = before.get((row["checker"], row["sample_id"], row["attribute"]))
        if known is None or _says_more(row, known):
            fresh.append(Answer(**row))
            replaced += known is not None
    session.journal.append_all(fresh)
    return Imported(
        new=len(fresh) - replaced,
        replaced=replaced,
        unchanged=read.answers.height - len(fresh),
        unanswered=read.unanswered,
        repeated=read.replaced,
        faulty=read.faulty,
        problems=read.problems,
    )


def _says_more(row: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether an answer differs from the one that is kept, or brings the inclusion that it lacks.

    The label that was judged does not matter where the true value is known.
    """
    if row["inclusion"] is not None and known["inclusion"] is None:
        return True
    if row["value"] is not None:
        return bool(row["value"] != known["value"])
    return any(row[name] != known[name] for name in ("answer", "value", "shown"))


def _read_file(path: Path) -> tuple[pl.DataFrame, int | None]:
    """Return a file as text columns, and the line of its first row, None where rows are no lines.

    Raises TableError for a file that cannot be read, or without the columns that are needed.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        table = _read_records(path)
    elif suffix in (*_LINES, ".parquet", ".pq"):
        table = read_table(path, error=TableError)
        table = table.select(to_text(column) for column in table.iter_columns())
        if suffix in _LINES:
            table = table.select(unescape_formulas(column) for column in table.iter_columns())
    else:
        raise TableError(f"{path}: expected a file that ends in {', '.join(SUFFIXES)}")
    problems = []
    if not set(_NAMES) & set(table.columns):
        problems.append("no column names samples; give path or sample_id")
    if "attribute" not in table.columns:
        problems.append("there is no column 'attribute'")
    if not {"answer", "value"} & set(table.columns):
        problems.append("there is neither a column 'answer' (right, wrong, cannot say) nor 'value'")
    if problems:
        raise TableError.from_problems(str(path), problems)
    return table, 2 if suffix in _LINES else None


def _read_records(path: Path) -> pl.DataFrame:
    """Return the objects of a JSON file, a list or under the key `answers`, as text columns."""
    content = read_json(path, error=TableError)
    records = content.get("answers") if isinstance(content, dict) else content
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise TableError(f"{path}: expected a list of objects, one an answer")
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {
        name: [_write_cell(record.get(name)) for record in records]
        for name in names
        if not any(isinstance(record.get(name), dict | list) for record in records)
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _write_cell(cell: object) -> str | None:
    return None if cell is None else str(cell)
