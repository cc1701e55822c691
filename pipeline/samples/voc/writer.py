"""Pascal VOC datasets, written: an XML file for each image, and the sets of its splits."""

import posixpath
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from pipeline.exceptions import DatasetError
from pipeline.files.json_file import shorten
from pipeline.samples.sample_set import SampleSet
from pipeline.samples.written import Written, take_truth
from pipeline.tables import BOX

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_voc(sample_set: SampleSet, target: Path) -> Written:
    """Write Annotations/*.xml and, where there are splits, ImageSets/Main/*.txt.

    Corners count from 1 and belong to the box. Pascal VOC knows no crowds: they and ignored objects
    are `difficult`. Raises DatasetError if two images would share an annotation file, a name is
    not valid in XML, or a file cannot be written.
    """
    images, objects, left_out = take_truth(sample_set)
    try:
        _write_files(images, objects, target)
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written: {error.strerror or error}") from None
    return Written(images.height, objects.height, left_out)


def _write_files(images: pl.DataFrame, objects: pl.DataFrame, folder: Path) -> None:
    """Write the dataset's annotations into a folder; the images stay where they are.

    images: path, width, height, split. objects: path, category, x, y, w, h in pixels, crowd and
    ignore. Raises OSError, and DatasetError if two images would share an annotation file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str] = defaultdict(str)
    rows = objects.select("path", "category", *BOX, "crowd", "ignore").iter_rows()
    for path, category, x, y, w, h, crowd, ignore in rows:
        corners = (x + 1, y + 1, x + w, y + h)
        texts[path] += _write_object(category, corners, difficult=crowd or ignore)
    owners: dict[str, str] = {}
    sets: dict[str, list[str]] = defaultdict(list)
    for path, width, height, split in images.select("path", "width", "height", "split").iter_rows():
        stem = posixpath.splitext(path)[0]
        if owners.setdefault(stem, path) is not path:
            raise DatasetError(
                f"{owners[stem]} and {path} would share the annotation file {stem}.xml; "
                "rename one of the images"
            )
        if split is not None:
            sets[split].append(stem)
        file = folder / "Annotations" / f"{stem}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = _write_file(path, width, height, texts.get(path, ""))
        file.write_text(text, encoding="utf-8")
    for split, stems in sets.items():
        file = folder / "ImageSets" / "Main" / f"{split.replace('/', '_')}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")


def _write_file(path: str, width: int, height: int, objects: str) -> str:
    inside, name = posixpath.split(path)
    return (
        f"<annotation>\n<folder>{_escape(inside)}</folder>\n<filename>{_escape(name)}</filename>\n"
        f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        f"{objects}</annotation>\n"
    )


def _write_object(category: str, corners: tuple[float, ...], *, difficult: bool) -> str:
    sides = zip(_CORNERS, corners, strict=True)
    box = "".join(f"<{side}>{_number(value)}</{side}>" for side, value in sides)
    return (
        f"<object><name>{_escape(category)}</name><difficult>{int(difficult)}</difficult>"
        f"<bndbox>{box}</bndbox></object>\n"
    )


def _number(value: Any) -> str:  # noqa: ANN401 - int or float of a frame
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escape(text: str) -> str:
    if _NOT_XML.search(text):
        raise DatasetError(f"{shorten(text)} is not valid in XML; rename it")
    return escape(text)
