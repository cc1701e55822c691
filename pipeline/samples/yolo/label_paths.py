"""Where the label files of YOLO images are, and which label files have no image."""

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.samples.paths import IMAGE_SUFFIXES

_LABELS = ".txt"
_NO_IMAGE = "is the label file of no image: no image has its name"
_OTHER_CASE = "differs in upper and lower case from the name of its image; rename one of them"
# Text files that tools put among label files: names of classes, lists of images, notes.
_NO_LABELS = frozenset(
    f"{name}.txt" for name in ("classes", "labels", "notes", "readme", "test", "train", "val")
)


def find_label_file(image: str) -> str:
    """Return where the label file of an image is: .../images/... becomes .../labels/....txt."""
    before, found, after = image.rpartition(f"{os.sep}images{os.sep}")
    moved = f"{before}{os.sep}labels{os.sep}{after}" if found else image
    return posixpath.splitext(moved)[0] + _LABELS


def find_image_folders(images: Iterable[str]) -> list[Path]:
    """Return the folders `images` that the paths of images go through, each once."""
    parts = (image.rpartition(f"{os.sep}images{os.sep}") for image in images)
    tops = dict.fromkeys(before for before, found, _ in parts if found)
    return [Path(top, "images") for top in tops]


def list_unused_labels(
    images: Sequence[str], texts: Sequence[str | None], folders: Iterable[Path], *, root: Path
) -> list[tuple[str, str]]:
    """Return path, relative to `root`, and reason of each label file that no image has.

    images: absolute paths of the listed images. texts: of their label files, null where there is
    none. folders: of images, whose counterparts are searched with their sub-folders; so are the
    folders of the images' own label files, these without. A label file counts as used where its
    image is there, but not listed, as in another split.
    """
    expected = {find_label_file(image): text for image, text in zip(images, texts, strict=True)}
    without = {label.lower() for label, text in expected.items() if text is None}
    unused: list[tuple[str, str]] = []
    stems: dict[str, set[str]] = {}
    for label in sorted(_list_label_files(expected, folders) - set(expected)):
        if _has_image(label, stems):
            continue
        reason = _OTHER_CASE if label.lower() in without else _NO_IMAGE
        unused.append((os.path.relpath(label, root).replace(os.sep, "/"), reason))
    return unused


def _list_label_files(expected: Mapping[str, str | None], folders: Iterable[Path]) -> set[str]:
    tops = {posixpath.dirname(find_label_file(f"{folder}{os.sep}x")) for folder in folders}
    beside = {posixpath.dirname(label) for label in expected}
    walked = [(current, names) for top in tops for current, _, names in os.walk(top)]
    inside = {current for current, _ in walked}
    walked += [(folder, _list_names(folder)) for folder in beside - inside]
    return {
        f"{current}{os.sep}{name}"
        for current, names in walked
        for name in names
        if name.endswith(_LABELS) and name.lower() not in _NO_LABELS and not name.startswith(".")
    }


def _list_names(folder: str) -> list[str]:
    try:
        return [entry.name for entry in Path(folder).iterdir()]
    except OSError:
        return []


def _has_image(label: str, stems: dict[str, set[str]]) -> bool:
    """Return whether an image lies where that of a label file is expected.

    stems: the names without suffix of the images in each folder, filled as met.
    """
    before, found, after = label.rpartition(f"{os.sep}labels{os.sep}")
    place = f"{before}{os.sep}images{os.sep}{after}" if found else label
    folder, name = posixpath.split(place)
    if folder not in stems:
        parts = map(posixpath.splitext, _list_names(folder))
        stems[folder] = {stem for stem, suffix in parts if suffix.lower() in IMAGE_SUFFIXES}
    return posixpath.splitext(name)[0] in stems[folder]
