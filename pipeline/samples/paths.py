"""Paths of images as datasets write them: kept inside the images folder, or refused."""

import os
import posixpath
from pathlib import Path

IMAGE_SUFFIXES = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg"),
        *(".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
    }
)


class PathRefusedError(Exception):
    """A path cannot name an image of the dataset; the message is a reason for `rejects`."""


def is_text(path: str) -> bool:
    """Return whether a path can be written as UTF-8; some file names cannot."""
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def clean_path(written: str) -> str:
    """Return a path relative to the images folder in its shortest posix form.

    Raises PathRefusedError for an empty or absolute path and for one that climbs out with "..".
    """
    if not written.strip():
        raise PathRefusedError("the path is empty")
    if "\0" in written:
        raise PathRefusedError("the path holds a null character")
    if posixpath.isabs(written) or Path(written).is_absolute():
        raise PathRefusedError("is an absolute path, expected one relative to the images folder")
    path = posixpath.normpath(written)
    if path == ".." or path.startswith("../"):
        raise PathRefusedError("the path leaves the images folder")
    if path == ".":
        raise PathRefusedError("names the images folder itself")
    return path


def find_escape(real_root: str, path: str) -> str | None:
    """Return the reason if a link on the way to `path` leads out of `real_root`, else None.

    real_root: the images folder with its own links resolved.
    """
    target = os.path.realpath(Path(real_root, path))
    if target == real_root or not target.startswith(real_root.rstrip(os.sep) + os.sep):
        return "is a link that leads out of the images folder"
    return None
