from pathlib import Path

import pytest

from pipeline.files.whole_folders import replace_folder, write_files


def read_names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    site = tmp_path / "runs" / "one"
    with replace_folder(site) as partial:
        assert write_files([("a.html", b"1"), ("b/c.html", b"23")], partial) == 3
        assert not site.exists()
    assert read_names(site) == ["a.html", "b", "b/c.html"]
    with replace_folder(site) as partial:
        write_files([("d.html", b"4")], partial)
        assert read_names(site) == ["a.html", "b", "b/c.html"]
    assert read_names(tmp_path) == ["runs", "runs/one", "runs/one/d.html"]


def test_a_folder_that_fails_leaves_the_former_one(tmp_path: Path) -> None:
    site = tmp_path / "one"
    with replace_folder(site) as partial:
        write_files([("a.html", b"1")], partial)
    files = iter([("b.html", b"2"), ("b.html/below", b"3")])  # a file is no folder
    with pytest.raises(OSError, match=r"b\.html"), replace_folder(site) as partial:
        write_files(files, partial)
    assert read_names(tmp_path) == ["one", "one/a.html"]


def test_what_a_killed_run_left_is_gone(tmp_path: Path) -> None:
    for end in (".partial", ".former"):
        write_files([("half.html", b"")], tmp_path / f"one{end}")
    with replace_folder(tmp_path / "one") as partial:
        assert read_names(partial) == []
    assert read_names(tmp_path) == ["one"]
