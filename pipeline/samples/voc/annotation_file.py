"""One Pascal VOC annotation file: its image's name and size, and its objects as texts."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from pipeline.files.json_file import shorten

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_LONGEST_TEXT = 1000  # characters of a name or number; longer ones are cut and then refused

# category, xmin, ymin, xmax, ymax, difficult, truncated, occluded, pose: as written, or null
VocObject = tuple[str | None, ...]
VOC_OBJECT = ("category", *_SIDES, "difficult", "truncated", "occluded", "pose")


class VocRefusedError(Exception):
    """A file is no annotation of an image; the message is a reason for `rejects`."""


@dataclass(frozen=True)
class VocFile:
    """What one file says: texts as written, null where they are missing."""

    filename: str | None
    width: str | None
    height: str | None
    objects: list[VocObject]


class _PlainTree(ET.TreeBuilder):
    """Builds the elements of a document and refuses one that declares a type or entities."""

    def doctype(self, name: str, *_: object) -> None:
        """Refuse a document type: entities could expand without end or read other files."""
        raise VocRefusedError(f"declares a document type {name!r}, which is refused")


def read_voc_file(path: Path) -> VocFile:
    """Read an annotation file. Raises VocRefusedError with the reason if it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise VocRefusedError(f"cannot be read: {error.strerror}") from None
    if not data.strip():
        raise VocRefusedError("the file is empty; expected XML")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:  # before the parser expands anything
        raise VocRefusedError("declares a document type or entities, which are refused")
    return parse_voc(data)


def parse_voc(data: bytes) -> VocFile:
    """Parse the bytes of an annotation file. Raises VocRefusedError if they are none."""
    parser = ET.XMLParser(target=_PlainTree())  # noqa: S314 - see _PlainTree
    try:
        root = ET.fromstring(data, parser=parser)  # noqa: S314 - see _PlainTree
    except ET.ParseError as error:
        line, column = error.position
        message = str(error).partition(":")[0]
        raise VocRefusedError(f"is not XML: line {line} column {column + 1}: {message}") from None
    except (ValueError, LookupError) as error:  # an encoding that is not known or not possible
        raise VocRefusedError(f"is not XML that can be read: {error}") from None
    if root.tag != "annotation":
        raise VocRefusedError(f"holds <{shorten(root.tag)[1:-1]}>, expected <annotation>")
    size = root.find("size")
    return VocFile(
        filename=_text(root, "filename"),
        width=None if size is None else _text(size, "width"),
        height=None if size is None else _text(size, "height"),
        objects=[_read_object(element) for element in root.findall("object")],
    )


def _read_object(element: ET.Element) -> VocObject:
    box = element.find("bndbox")
    sides = [None if box is None else _text(box, side) for side in _SIDES]
    flags = [_text(element, name) for name in ("difficult", "truncated", "occluded", "pose")]
    return (_text(element, "name"), *sides, *flags)


def _text(element: ET.Element, tag: str) -> str | None:
    text = element.findtext(tag)
    stripped = text[:_LONGEST_TEXT].strip() if text else ""
    return stripped or None
