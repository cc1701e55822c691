"""Folders that are written whole or not at all: under a temporary name, then renamed."""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

PARTIAL, FORMER = ".partial", ".former"  # end the names of a folder being made or replaced


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`, and rename it to `path` at the end.

    What was in `path` goes as a whole. When the block raises, `path` stays as it was. A reader may
    find no folder for the moment between two renames, never a mixture. Leftovers of a killed run
    go first.
    """
    partial, former = (path.with_name(path.name + end) for end in (PARTIAL, FORMER))
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in (partial, former):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            path.rename(former)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def write_files(files: Iterable[tuple[str, bytes]], folder: Path) -> int:
    """Write files by their path in `folder`, with "/"; return how many bytes they have."""
    size = 0
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        size += len(data)
    return size
