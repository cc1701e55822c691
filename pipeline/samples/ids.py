"""Keys of samples: the id of a path and annotation, and the key of pixels."""

import hashlib
from collections.abc import Sequence


def make_sample_id(path: str, annotation_id: str | None = None) -> str:
    """Return the 16 hex digits that name a sample: its path and, for an object, its annotation.

    path: posix, relative to the dataset's root. A file keeps its id when its bytes change.
    """
    text = path if annotation_id is None else f"{path}\0{annotation_id}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def make_object_key(
    file_key: str,
    box: tuple[float, float, float, float],
    *,
    margin: float,
    square: bool = False,
    interpolation: str = "model",
) -> str:
    """Return the content key of an object: 32 hex digits of its file's key, its box and crop rule.

    file_key: the content key of the whole image, which is a hash of the file's bytes. Margin,
    square and interpolation are what changes pixels; a minimum size only says which are embedded.
    The last two are named only where they are not the default: keys made before they existed hold.
    """
    x, y, w, h = map(float, box)
    text = f"{file_key}\0{x!r}\0{y!r}\0{w!r}\0{h!r}\0{float(margin)!r}"
    text += "\0square" if square else ""
    text += "" if interpolation == "model" else f"\0{interpolation}"
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def make_sample_ids(paths: Sequence[str], annotation_ids: Sequence[str | None]) -> list[str]:
    """Return the sample id of each path and annotation id (null for a whole image)."""
    return [make_sample_id(*pair) for pair in zip(paths, annotation_ids, strict=True)]
