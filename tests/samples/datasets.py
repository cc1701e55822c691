"""Small datasets on disk, made for one test each."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

SHARED = Path(__file__).parents[3] / "shared" / "data"
NO_SHARED = f"the real data folder {SHARED} is missing"

Json = dict[str, Any]


def write_image(path: Path, *, size: tuple[int, int] = (32, 24), color: int = 0) -> Path:
    """Write a plain image; another color gives other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (color, 90, 120)).save(path)
    return path


def write_images(folder: Path, names: Sequence[str], *, size: tuple[int, int] = (32, 24)) -> Path:
    """Write images of different bytes into a folder."""
    for number, name in enumerate(names):
        write_image(folder / name, size=size, color=number)
    return folder


def annotation(number: int, image: int, box: Sequence[object], **more: object) -> Json:
    """Make a COCO annotation of category 1."""
    return {"id": number, "image_id": image, "category_id": 1, "bbox": list(box), **more}


def coco(images: Mapping[int, str], annotations: Sequence[Any], **more: object) -> Json:
    """Make a COCO dataset with the categories person and dog."""
    return {
        "images": [{"id": number, "file_name": name} for number, name in images.items()],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        **more,
    }


def write_json(path: Path, content: object) -> Path:
    """Write JSON as Python does it, NaN included."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
