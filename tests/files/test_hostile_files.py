"""Files that would run for ever, overflow the stack or run as formulas: one clear line each."""

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exceptions import ConfigError, DatasetError
from pipeline.files.csv_cells import escape_formulas, unescape_formulas
from pipeline.files.json_file import read_json
from pipeline.files.table_file import read_table
from pipeline.files.toml_file import read_toml


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "a = " + "{b=" * 50_000])
def test_toml_that_is_nested_too_deep_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "audit.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"nested too deep|cannot be read as TOML") as said:
        read_toml(path)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_that_is_nested_too_deep_is_said_in_one_line(tmp_path: Path, opening: str) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(opening * 100_000)
    with pytest.raises(DatasetError) as said:
        read_json(path, error=DatasetError)
    assert str(said.value).startswith(f"{path}: is not JSON")
    assert "\n" not in str(said.value)


def test_a_device_or_pipe_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (Path("/dev/zero"), pipe):
        with pytest.raises(ConfigError, match="not a regular file"):
            read_toml(path)
        with pytest.raises(DatasetError, match="not a regular file"):
            read_json(path, error=DatasetError)
        with pytest.raises(DatasetError, match="no such file"):
            read_table(path, error=DatasetError)


def test_a_toml_file_of_many_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.toml"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ConfigError, match="bytes, more than"):
        read_toml(path)


def test_nested_columns_of_a_table_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    deep = pl.Series("deep", [[[["a"]]]])
    pl.DataFrame([pl.Series("path", ["a.jpg"]), deep]).write_parquet(path)
    assert read_table(path, error=DatasetError).columns == ["path"]


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@sum", "\t=1", "\r=1", "'=1", "-", "-1-1"])
def test_a_text_that_begins_as_a_formula_is_escaped(cell: str) -> None:
    assert escape_formulas(pl.DataFrame({"a": [cell]})).item() == f"'{cell}"


@pytest.mark.parametrize("cell", ["-0.5", "+3", "1e5", "-1e-7", "a=b", "", " =1", "yes", None])
def test_numbers_and_other_texts_stay(cell: str | None) -> None:
    frame = pl.DataFrame({"a": [cell], "n": [-1.5]}, schema={"a": pl.String, "n": pl.Float64})
    assert escape_formulas(frame).equals(frame)


@given(st.lists(st.text("'=+-@\t\ra1. ", max_size=6), min_size=1))
def test_what_was_escaped_comes_back(cells: list[str]) -> None:
    column = pl.Series("a", cells, dtype=pl.String)
    escaped = escape_formulas(column.to_frame())["a"]
    assert unescape_formulas(escaped).to_list() == cells
