"""A folder of images; its sub-folders may be the categories."""

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.files.remote_path import RemotePath
from pipeline.samples.categories import keep_categories
from pipeline.samples.paths import IMAGE_SUFFIXES, Links, is_text, list_links
from pipeline.samples.sample_set import IMAGES, Listing, make_rejects


@dataclass
class Found:
    """What a walk through folders met."""

    paths: list[str] = field(default_factory=list)  # posix, relative to the folder walked
    rejects: list[tuple[str, str]] = field(default_factory=list)
    hidden: int = 0
    other_suffix: int = 0


def list_folder(dataset: Dataset) -> Listing:
    """List the image files under the images folders, sub-folders included.

    The first sub-folder on a path under its images folder is the category, as torchvision's
    ImageFolder has it; files directly in the images folder have none. Hidden files and folders and
    files without an image suffix are counted; linked folders are rejected without follow_links.
    Raises DatasetError if a folder is missing or no image is found.
    """
    check_folders(dataset)
    found, links = Found(), list_links(dataset)
    categories: dict[str, str | None] = {}
    for folder in dataset.images:
        start = len(found.paths)
        walk_folder(folder, found, links)
        prefix = start_path(folder_prefix(folder, dataset.root))
        for path in found.paths[start:]:
            first, _, rest = path.partition("/")
            categories.setdefault(prefix + path, first if rest else None)
    if not categories:
        where = ", ".join(str(folder) for folder in dataset.images)
        raise DatasetError(
            f"{where}: no image files (suffixes: {' '.join(sorted(IMAGE_SUFFIXES))}); "
            f"{found.other_suffix} files have another suffix; check `images`"
        )
    rows = [(path, name, dataset.split, None, None) for path, name in sorted(categories.items())]
    images = pl.DataFrame(rows, schema=dict(IMAGES), orient="row")
    kept, other = keep_categories(images, dataset, where=str(dataset.root))
    counts = {"hidden": found.hidden, "other_suffix": found.other_suffix, "other_category": other}
    return Listing(images=kept, rejects=make_rejects(sorted(found.rejects)), counts=counts)


def check_folders(dataset: Dataset) -> None:
    """Raise DatasetError for every folder of `images` and `link_roots` that is not there."""
    for key, folders in (("images", dataset.images), ("link_roots", dataset.link_roots)):
        problems = [f"{one}: there is no such folder" for one in folders if not one.is_dir()]
        if problems:
            raise DatasetError.from_problems(f"dataset.{key}", problems)


def folder_prefix(folder: Path, root: Path) -> str:
    """Return the posix path from the dataset's root to one of its images folders, "" for itself."""
    relative = folder.relative_to(root).as_posix()
    return "" if relative == "." else relative


def start_path(prefix: str) -> str:
    """Return what comes before a name in a folder of that path: joining each takes longer."""
    return f"{prefix}/" if prefix else ""


def walk_folder(
    folder: Path, found: Found, links: Links, *, suffixes: frozenset[str] = IMAGE_SUFFIXES
) -> None:
    """List the visible files with one of the suffixes under a folder, and what else was met.

    Linked folders come last, in the order of their paths, and no folder is read twice: links may
    form a ring. On other storage there are none, and all is one listing.
    """
    if isinstance(folder, RemotePath):
        for path in sorted(folder.list_objects()):
            _take_object(path, found, suffixes)
        return
    read: set[str] = set()
    waiting = [folder]
    while waiting:
        waiting = sorted(_walk(folder, waiting, found, links, suffixes, read))


def _walk(
    folder: Path,
    tops: Sequence[Path],
    found: Found,
    links: Links,
    suffixes: frozenset[str],
    read: set[str],
) -> list[Path]:
    """List the files under each of `tops`; return the linked folders that are still to be read.

    read: real paths of the folders that are read already, extended here when links are followed.
    """

    def note(error: OSError) -> None:
        found.rejects.append((str(error.filename), f"cannot be listed: {error.strerror}"))

    waiting: list[Path] = []
    for current, folders, files in chain.from_iterable(os.walk(top, onerror=note) for top in tops):
        inside = folder_prefix(Path(current), folder)
        if links.follow and _is_read(current, read):
            found.rejects.append((inside, "leads to a folder that is read already"))
            folders.clear()
            continue
        visible = sorted(name for name in folders if not name.startswith("."))
        found.hidden += len(folders) - len(visible)
        linked = [Path(current, name) for name in visible if Path(current, name).is_symlink()]
        folders[:] = [name for name in visible if Path(current, name) not in linked]
        for link in linked:
            reason = links.refuse_folder(link)
            if reason is None:
                waiting.append(link)
            else:
                found.rejects.append((posixpath.join(inside, link.name), reason))
        begin = start_path(inside)
        for name in files:
            _take_file(begin + name, name, found, suffixes)
    return waiting


def _take_object(path: str, found: Found, suffixes: frozenset[str]) -> None:
    """Take an object of other storage as `_take_file`; those under hidden folders are hidden."""
    if any(part.startswith(".") for part in path.split("/")[:-1]):
        found.hidden += 1
    else:
        _take_file(path, path.rpartition("/")[2], found, suffixes)


def _is_read(folder: str, read: set[str]) -> bool:
    """Return whether a folder was read under any path, and note that it is from now on."""
    real = os.path.realpath(folder)
    if real in read:
        return True
    read.add(real)
    return False


def _take_file(path: str, name: str, found: Found, suffixes: frozenset[str]) -> None:
    if name.startswith("."):
        found.hidden += 1
    elif name[name.rfind(".") :].lower() not in suffixes:
        found.other_suffix += 1
    elif not is_text(path):
        found.rejects.append((path, "the file's name is not valid UTF-8; rename it"))
    else:
        found.paths.append(path)
