"""A folder of images; its sub-folders may be the categories."""

import os
import posixpath
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipeline.config.dataset import Dataset
from pipeline.exceptions import DatasetError
from pipeline.samples.categories import keep_categories
from pipeline.samples.paths import IMAGE_SUFFIXES, is_text
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
    files without an image suffix are counted; linked folders are rejected, they could form a ring.
    Raises DatasetError if a folder is missing or no image is found.
    """
    check_folders(dataset)
    found = Found()
    categories: dict[str, str | None] = {}
    for folder in dataset.images:
        start = len(found.paths)
        walk_folder(folder, found)
        prefix = folder_prefix(folder, dataset.root)
        for path in found.paths[start:]:
            first, _, rest = path.partition("/")
            categories.setdefault(posixpath.join(prefix, path), first if rest else None)
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
    """Raise DatasetError for every images folder that is not there."""
    problems = [
        f"{folder}: there is no such folder" for folder in dataset.images if not folder.is_dir()
    ]
    if problems:
        raise DatasetError.from_problems("dataset.images", problems)


def folder_prefix(folder: Path, root: Path) -> str:
    """Return the posix path from the dataset's root to one of its images folders, "" for itself."""
    relative = folder.relative_to(root).as_posix()
    return "" if relative == "." else relative


def walk_folder(folder: Path, found: Found, *, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> None:
    """List the visible files with one of the suffixes under a folder, and what else was met."""

    def note(error: OSError) -> None:
        found.rejects.append((str(error.filename), f"cannot be listed: {error.strerror}"))

    for current, folders, files in os.walk(folder, onerror=note):
        inside = folder_prefix(Path(current), folder)
        visible = sorted(name for name in folders if not name.startswith("."))
        found.hidden += len(folders) - len(visible)
        linked = [name for name in visible if Path(current, name).is_symlink()]
        folders[:] = [name for name in visible if name not in linked]
        for name in linked:
            reason = "is a link to a folder, which is not followed"
            found.rejects.append((posixpath.join(inside, name), reason))
        for name in files:
            _take_file(posixpath.join(inside, name), name, found, suffixes)


def _take_file(path: str, name: str, found: Found, suffixes: frozenset[str]) -> None:
    if name.startswith("."):
        found.hidden += 1
    elif posixpath.splitext(name)[1].lower() not in suffixes:
        found.other_suffix += 1
    elif not is_text(path):
        found.rejects.append((path, "the file's name is not valid UTF-8; rename it"))
    else:
        found.paths.append(path)
