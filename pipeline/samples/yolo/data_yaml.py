"""The data.yaml of a YOLO dataset: names of classes, and where the images of each split are."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.exceptions import DatasetError
from pipeline.files.toml_file import nearest

SPLITS = ("train", "val", "test")
_LARGEST_FILE = 1 << 20  # bytes; the file of 1,203 classes has 40 thousand
_MOST_CLASSES = 100_000
_NOTHING = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class YoloConfig:
    """What a data.yaml says.

    names: category id (the index of the class as text) -> name. splits: name -> folders of images
    or .txt lists of them, which exist. keypoints: whether labels hold keypoints after the box.
    bases: folders that relative paths may be meant from, best first.
    """

    path: Path
    names: dict[str, str]
    splits: dict[str, list[Path]]
    keypoints: bool
    bases: tuple[Path, ...]


def read_yolo_config(path: Path, *, images: Path, split: str | None) -> YoloConfig:
    """Read a data.yaml as Ultralytics writes them.

    images: the dataset's folder for this file, tried when `path` in it leads nowhere here. split:
    the only one that is wanted; all when None. Relative places are meant from `path`, else from the
    file's own folder. Raises DatasetError naming every problem.
    """
    content = _load(path)
    problems: list[str] = []
    names = _read_names(content, problems)
    bases = _list_bases(content.get("path"), path.parent, images, problems)
    splits: dict[str, list[Path]] = {}
    for name in SPLITS if split is None else (split,):
        if name not in SPLITS:
            problems.append(f"there is no split {name!r}; {nearest(name, SPLITS)}")
            continue
        places = _find_split(name, content.get(name), bases, problems)
        if places:
            splits[name] = places
    problems += _list_equal(splits)
    if not splits and not problems:
        wanted = ", ".join(SPLITS) if split is None else split
        problems.append(f"names no images; expected {wanted}: a folder or a .txt list")
    if problems:
        raise DatasetError.from_problems(str(path), problems)
    return YoloConfig(path, names, splits, "kpt_shape" in content, bases)


def _load(path: Path) -> dict[str, Any]:
    """Read a YAML mapping with every value as text: `no` is a name, not a boolean."""
    try:
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise DatasetError(
                f"{path}: is {size:,} bytes long; a data.yaml of class names has a few thousand"
            )
        text = path.read_bytes().decode("utf-8-sig")
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes only texts and lists
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not YAML: byte {error.start} is not UTF-8") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DatasetError(f"{path}: is not YAML: {_explain(error)}") from None
    if not isinstance(content, dict):
        raise DatasetError(
            f"{path}: holds {_kind(content)}, expected a data.yaml with names and train or val"
        )
    return content


def _explain(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    message = getattr(error, "problem", None) or getattr(error, "reason", None)
    where = f"line {mark.line + 1} column {mark.column + 1}: " if mark else ""
    return f"{where}{message or type(error).__name__}"


def _kind(value: object) -> str:
    """Name the kind of a YAML value; its text may be endless, since YAML can refer to itself."""
    if isinstance(value, str):
        return repr(value[:40]) if value else "nothing"
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else "nothing"


def _read_names(content: dict[str, Any], problems: list[str]) -> dict[str, str]:
    raw, count = content.get("names"), content.get("nc")
    number = int(count) if isinstance(count, str) and _is_index(count) else None
    if count is not None and number is None:
        problems.append(f"nc: is {_kind(count)}, expected a number of classes")
    if raw is None:
        if number is None:
            problems.append("names: is missing; expected the names of the classes")
        return {str(index): f"class{index}" for index in range(number or 0)}
    if not isinstance(raw, dict | list):
        problems.append(f"names: is {_kind(raw)}, expected a list, or a mapping of index to name")
        return {}
    names: dict[str, str] = {}
    for index, name in raw.items() if isinstance(raw, dict) else enumerate(raw):
        if not _is_index(str(index)):
            problems.append(f"names: {_kind(index)} is no index of a class")
        elif not isinstance(name, str) or not name.strip():
            problems.append(f"names: class {index} is {_kind(name)}, expected a name")
        else:
            names[str(int(index))] = name
    if number is not None and number != len(raw):
        problems.append(f"nc: is {number}, but there are {len(raw)} names")
    return names


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= _MOST_CLASSES


def _list_bases(raw: object, own: Path, images: Path, problems: list[str]) -> tuple[Path, ...]:
    """List the folders that `train` and the others may be relative to, best first."""
    if raw is None or raw in _NOTHING:
        return (own, images)
    if not isinstance(raw, str) or "\0" in raw:
        problems.append(f"path: is {_kind(raw)}, expected a folder")
        return (own, images)
    return (_join(own, raw), own, images)


def _find_split(name: str, raw: object, bases: Sequence[Path], problems: list[str]) -> list[Path]:
    """Return the folders and lists of a split that exist; a place that does not is a problem."""
    if raw is None or raw in _NOTHING:
        return []
    found: list[Path] = []
    for value in raw if isinstance(raw, list) else [raw]:
        if not isinstance(value, str) or "\0" in value or value in _NOTHING:
            problems.append(f"{name}: is {_kind(value)}, expected a folder or a .txt list")
            continue
        # Exports of some services say "../train/images" where "train/images" is meant.
        tried = [_join(base, value) for base in bases]
        tried += [_join(base, value[3:]) for base in bases if value.startswith("../")]
        there = next((place for place in tried if _exists(place)), None)
        if there is None:
            problems.append(
                f"{name}: there is no folder or list {tried[0]}; name the one that holds its "
                f'images, or read another split alone: e.g. split = "{_other(name)}" in [dataset]'
            )
        else:
            found.append(there)
    return found


def _other(name: str) -> str:
    return "val" if name == "train" else "train"


def _list_equal(splits: Mapping[str, Sequence[Path]]) -> list[str]:
    """List the splits that name the places of an earlier one: their images would count twice."""
    first: dict[frozenset[Path], str] = {}
    problems = []
    for name, places in splits.items():
        earlier = first.setdefault(frozenset(places), name)
        if earlier != name:
            shown = ", ".join(map(str, places))
            problems.append(
                f"{name}: names the same images as {earlier}: {shown}; to read them once, write "
                f'split = "{earlier}" in [dataset]'
            )
    return problems


def _exists(place: Path) -> bool:
    try:
        return place.is_dir() or (place.is_file() and place.suffix == ".txt")
    except OSError:  # a name longer than any file system takes
        return False


def _join(base: Path, value: str) -> Path:
    return Path(os.path.normpath(base / Path(value).expanduser()))
