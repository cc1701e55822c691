"""Files are whole or not there, also when what writes them fails."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.exceptions import StoreError
from pipeline.files.whole_files import (
    read_parquet,
    remove_partial,
    replace_file,
    write_parquet,
    write_text,
)


def list_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def write_half(path: Path) -> None:
    """Fail in the middle of writing."""
    with replace_file(path) as partial:
        partial.write_text("half")
        raise RuntimeError("the disk is full")


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = write_text("old", tmp_path / "a.txt")
    with pytest.raises(RuntimeError, match="the disk is full"):
        write_half(path)
    assert path.read_text() == "old"
    assert list_files(tmp_path) == ["a.txt"]


def test_a_first_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_half(tmp_path / "a.txt")
    assert list_files(tmp_path) == []


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = write_text("old", tmp_path / "a.txt")
    with replace_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_folders_are_made_and_text_is_utf_8(tmp_path: Path) -> None:
    path = write_text("größer", tmp_path / "some" / "folder" / "a.txt")
    assert path.read_bytes() == "größer".encode()


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    write_text("whole", tmp_path / "one" / "a.txt")
    (tmp_path / "one" / "b.txt.partial").write_text("half")
    (tmp_path / "c.parquet.partial").write_text("half")
    assert remove_partial(tmp_path) == 2
    assert list_files(tmp_path) == ["one/a.txt"]


def test_parquet_comes_back_equal_and_a_broken_file_is_named(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [1, None], "y": [["a"], []]})
    path = write_parquet(frame, tmp_path / "new" / "a.parquet")
    assert read_parquet(path).equals(frame)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StoreError, match=r"a\.parquet: cannot be read .*remove it and run"):
        read_parquet(path)
