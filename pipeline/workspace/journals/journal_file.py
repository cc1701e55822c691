"""A file that only grows: lines that are on disk when the call returns, from several processes."""

import os
from pathlib import Path

import filelock

from pipeline.exceptions import StoreError

_PATIENCE = 10.0  # seconds to wait for another process that writes


def append_lines(path: Path, text: bytes) -> None:
    """Append whole lines to a journal, its folder included.

    Raises StoreError where that cannot be, or another process writes for long.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_suffix(".lock"), timeout=_PATIENCE):
            _append_bytes(path, text)
    except filelock.Timeout:
        raise StoreError(
            f"{path}: another process has been writing for {_PATIENCE:.0f} seconds; "
            "end it and try again"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from None


def _append_bytes(path: Path, text: bytes) -> None:
    """Append lines and wait until they are on disk; a torn last line is ended first."""
    is_new = not path.exists()
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            text = text if file.read(1) == b"\n" else b"\n" + text
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
