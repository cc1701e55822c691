"""The image sets of a Pascal VOC dataset: ImageSets/Main/SPLIT.txt beside its annotations."""

import re
from pathlib import Path

from pipeline.exceptions import DatasetError
from pipeline.files.toml_file import nearest

_SECOND = re.compile(r"\s+-?[01]$")


def read_set(annotations: Path, split: str | None) -> set[str] | None:
    """Return the stems that a set lists; None where no set is wanted, or none are there at all.

    Raises DatasetError if there are sets, but not this one, or if it cannot be read.
    """
    folder = annotations.parent / "ImageSets" / "Main"
    if split is None or not folder.is_dir():
        return None
    files = {path.stem: path for path in sorted(folder.glob("*.txt"))}
    file = files.get(split)
    if file is None:
        raise DatasetError(f"{folder}: there is no set {split!r}; {nearest(split, files)}")
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise DatasetError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{file}: byte {error.start} is not UTF-8") from None
    # Sets of one class say with 1, 0 or -1 whether the image holds it: a second column.
    return {_SECOND.sub("", line.strip()) for line in lines if line.strip()}
