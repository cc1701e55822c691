"""A table written where a user asks: Parquet, CSV or JSON by the name of the file."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.exceptions import ConfigError
from pipeline.files.csv_cells import escape_formulas, flatten_nested
from pipeline.files.whole_files import replace_file

SUFFIXES = (".parquet", ".csv", ".json")
FLAT = (".csv", ".parquet")  # of commands that write no JSON, or their own


def check_target(target: Path, *, suffixes: Sequence[str] = SUFFIXES, option: str = "") -> None:
    """Raise ConfigError unless a file of this name could be written; asked before any work.

    option: the one that names the file, to begin the message with.
    """
    name = f"{option} {target}".strip()
    if target.suffix.lower() not in suffixes:
        raise ConfigError(f"{name}: write to a file that ends in {', '.join(suffixes)}")
    if target.is_dir():
        raise ConfigError(f"{name}: is a folder; name a file")
    if not target.absolute().parent.is_dir():
        raise ConfigError(f"{name}: there is no folder {target.absolute().parent}; make it first")


def write_table(frame: pl.DataFrame, target: Path) -> None:
    """Write a table, whole or not at all.

    In CSV nested columns (predicates) are JSON text, and cells that a spreadsheet would take for
    formulas are escaped. Raises ConfigError when it cannot be written.
    """
    try:
        with replace_file(target) as unfinished:
            if target.suffix.lower() == ".parquet":
                frame.write_parquet(unfinished)
            elif target.suffix.lower() == ".json":
                frame.write_json(unfinished)
            else:
                escape_formulas(flatten_nested(frame)).write_csv(unfinished)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}") from None
