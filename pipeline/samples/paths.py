"""Paths of images as datasets write them: kept inside the images folder, or refused."""

import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.dataset import Dataset
from pipeline.files.remote_path import is_remote

IMAGE_SUFFIXES = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg"),
        *(".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
    }
)
FOLLOW = "to follow it, write follow_links = true in [dataset]"
MORE_ROOTS = "to follow it, add the folder that it leads to to link_roots in [dataset]"


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


@dataclass(frozen=True)
class Links:
    """Which links in a dataset are followed.

    roots: real paths of the folders that a link may lead into. follow: whether linked folders are
    walked. anywhere: whether a link may lead out of the roots. hint: what to write in [dataset] so
    that a refused link is followed.
    """

    roots: tuple[str, ...]
    follow: bool = False
    anywhere: bool = False
    hint: str = FOLLOW

    def find_escape(self, path: str | Path) -> str | None:
        """Return the reason if a link on the way to `path` leads out of the roots, else None."""
        if self.anywhere or (isinstance(path, Path) and is_remote(path)):
            return None
        target = os.path.realpath(path)
        if any(target == root or target.startswith(root + os.sep) for root in self.roots):
            return None
        return f"is a link that leads out of the images folder; {self.hint}"

    def refuse_folder(self, path: Path) -> str | None:
        """Return the reason if a linked folder is not walked, else None."""
        if not self.follow:
            return f"is a link to a folder, which is not followed; {self.hint}"
        return self.find_escape(path)


def list_links(dataset: Dataset, named: Iterable[Path] = ()) -> Links:
    """Return which links a dataset may hold.

    They may lead into its images and annotations, the folders `named` by its own files, and
    `link_roots`; with follow_links and without link_roots, anywhere.
    """
    folders = (dataset.root, *dataset.images, *dataset.annotations, *dataset.link_roots, *named)
    local = (folder for folder in folders if not is_remote(folder))
    roots = tuple(dict.fromkeys(os.path.realpath(folder).rstrip(os.sep) for folder in local))
    return Links(
        roots=roots,
        follow=dataset.follow_links,
        anywhere=dataset.follow_links and not dataset.link_roots,
        hint=MORE_ROOTS if dataset.link_roots else FOLLOW,
    )
