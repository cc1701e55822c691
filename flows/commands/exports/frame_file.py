"""A frame as a file that a user names: CSV or Parquet."""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from pipeline.exceptions import ConfigError
from pipeline.files.csv_cells import escape_formulas
from pipeline.files.whole_files import replace_file, write_parquet

SUFFIXES = (".csv", ".parquet")


def check_frame_file(
    path: Path, *, suffixes: Collection[str] = SUFFIXES, option: str = "--out"
) -> None:
    """Raise ConfigError where `path` cannot be written, before the work that fills it."""
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{option} {path}: expected a file that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise ConfigError(f"{option} {path}: is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no folder {path.absolute().parent}; make it")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as CSV, cells of which are no formulas, or Parquet; whole or not at all.

    Raises ConfigError where it cannot be written.
    """
    check_frame_file(path)
    try:
        if path.suffix.lower() == ".parquet":
            write_parquet(frame, path)
            return
        with replace_file(path) as partial:
            escape_formulas(frame).write_csv(partial)
    except OSError as error:
        raise ConfigError(f"--out {path}: cannot be written: {error.strerror or error}") from None
