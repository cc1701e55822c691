"""The pictures of the site: each image is decoded once, and blurred where the report asks."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from flows.stages.reporting.pictures.scene_boxes import read_box
from pipeline.images.crop import Box
from pipeline.images.decode import ImageRejectedError, load_image
from pipeline.images.pictures import blur_boxes, cut_box, find_head, write_webp
from reports.site_models import SceneBox

THUMBNAIL, SCENE = 192, 720  # pixels of the longer side
MARGIN = 0.15  # around an object, of its longer side
_WORKERS = 4
_PEOPLE = {
    "person", "people", "pedestrian", "man", "woman", "child", "boy", "girl", "rider", "worker",
}  # fmt: skip
_FACES = {"face", "head"}

FindFaces = Callable[[Image.Image], list[Box]]


@dataclass(frozen=True)
class Picture:
    """Names of the files of one sample, "" without; width and height of its whole image."""

    thumbnail: str = ""
    scene: str = ""
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Album:
    """pictures: of each sample. files: name -> WebP bytes."""

    pictures: Mapping[str, Picture]
    files: Mapping[str, bytes]


def take_pictures(
    samples: pl.DataFrame,
    root: Path,
    *,
    boxes: Mapping[str, tuple[SceneBox, ...]] | None = None,
    find_faces: FindFaces | None = None,
) -> Album:
    """Return the pictures of `samples`, SAMPLES rows; an image that is gone has none.

    find_faces: given where faces are to be blurred; then the heads of all people among the boxes
    are blurred as well. boxes: of each path, all that is known of it. Names are numbers, in the
    order of the paths: they say nothing of the files.
    """
    known = boxes or {}
    groups = [
        (str(path), own.sort("sample_id").to_dicts())
        for (path,), own in samples.unique("sample_id")
        .sort("path", "sample_id")
        .partition_by("path", as_dict=True, maintain_order=True)
        .items()
    ]

    def take(job: tuple[int, tuple[str, list[dict[str, Any]]]]) -> _Taken:
        number, (path, rows) = job
        return _take(f"{number:05}", root / path, rows, known.get(path, ()), find_faces)

    with ThreadPoolExecutor(_WORKERS) as pool:
        taken = list(pool.map(take, enumerate(groups, 1)))
    return Album(
        pictures={key: picture for one in taken for key, picture in one.pictures.items()},
        files={name: data for one in taken for name, data in one.files.items()},
    )


@dataclass(frozen=True)
class _Taken:
    pictures: Mapping[str, Picture]
    files: Mapping[str, bytes]


def _take(
    number: str,
    path: Path,
    rows: list[dict[str, Any]],
    boxes: tuple[SceneBox, ...],
    find_faces: FindFaces | None,
) -> _Taken:
    """Return the pictures of one image: the whole, and a thumbnail of each of its samples."""
    try:
        image = load_image(path)
    except ImageRejectedError:
        return _Taken({}, {})
    if find_faces is not None:
        own = [(row["category"] or "", read_box(row)) for row in rows if row["x"] is not None]
        image = blur_boxes(image, [*find_faces(image), *list_heads(own, boxes)])
    scene = f"{number}.webp"
    files, pictures = {scene: write_webp(image, SCENE)}, {}
    for at, row in enumerate(rows, 1):
        try:
            box = read_box(row)
            part = image if row["x"] is None else cut_box(image, box, margin=MARGIN)
        except ImageRejectedError:
            continue
        name = f"{number}-{at}.webp"
        files[name] = write_webp(part, THUMBNAIL)
        pictures[row["sample_id"]] = Picture(name, scene, image.size)
    return _Taken(pictures, files)


def list_heads(samples: Iterable[tuple[str, Box]], boxes: Iterable[SceneBox] = ()) -> list[Box]:
    """Return what of some boxes is to be blurred: of people the upper third, of faces all.

    samples: category and box of each.
    """
    known = [*samples, *((one.category, one.box) for one in boxes)]
    heads = [find_head(box) for category, box in known if category.lower() in _PEOPLE]
    return heads + [box for category, box in known if category.lower() in _FACES]


def load_face_detector() -> FindFaces:
    """Return a function that finds faces with YuNet. Raises ConfigError where it is missing."""
    from pipeline.detectors.face_finder import make_face_finder

    return make_face_finder()
