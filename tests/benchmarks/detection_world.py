"""A generated detection dataset with a planted weakness: small objects at the left are missed."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

CATEGORIES = ("person", "bicycle", "car", "dog", "bird")
WIDTH, HEIGHT = 640, 480
OBJECTS_PER_IMAGE = 10
ATTRIBUTES = ("height", "area", "aspect", "position")
FILES_PER_FOLDER = 1_000
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AUDIT = """\
name = "a million boxes"
workspace = "workspace"
[dataset]
format = "coco"
images = "images"
annotations = "truth.json"
sample = "object"
[dataset.crop]
min_size = 1
[attributes]
use = [{attributes}]
[[systems]]
name = "detector"
format = "coco-detections"
predictions = "found.json"
error = "miss"
iou = 0.5
"""


def write_world(folder: Path, *, images: int, seed: int = 0) -> Path:
    """Write images, annotations, detections and audit.toml into `folder`; return the audit file.

    There are ten boxes an image and about as many detections. One box in twelve is missed, of
    those under 64 pixels high in the left third more than half.
    """
    rng = np.random.default_rng(seed)
    names = _write_images(folder / "images", count=images)
    count = images * OBJECTS_PER_IMAGE
    image = rng.integers(0, images, count)
    category = rng.integers(0, len(CATEGORIES), count)
    boxes = _draw_boxes(rng, count)
    small = (boxes[:, 3] < 64) & (boxes[:, 0] + boxes[:, 2] / 2 < WIDTH / 3)
    missed = rng.random(count) < np.where(small, 0.6, 1 / 12)
    truth = {
        "images": [
            {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT}
            for number, name in enumerate(names)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CATEGORIES)],
        "annotations": _list_annotations(image, category, boxes),
    }
    (folder / "truth.json").write_bytes(orjson.dumps(truth))
    found = _draw_detections(rng, image, category, boxes, missed, images=images)
    (folder / "found.json").write_bytes(orjson.dumps(found))
    use = ", ".join(f'"object/{name}"' for name in ATTRIBUTES)
    path = folder / "audit.toml"
    path.write_text(AUDIT.format(attributes=use), encoding="utf-8")
    return path


def _write_images(folder: Path, *, count: int) -> list[str]:
    """Write JPEG files of one picture, told apart by a comment, so that each has its own bytes."""
    held = io.BytesIO()
    Image.new("L", (WIDTH, HEIGHT), 128).save(held, "JPEG", quality=5)
    start, rest = held.getvalue()[:2], held.getvalue()[2:]
    names = []
    for number in range(count):
        name = f"{number // FILES_PER_FOLDER:03}/{number:06}.jpg"
        if number % FILES_PER_FOLDER == 0:
            (folder / name).parent.mkdir(parents=True)
        comment = f"{number:06}".encode("ascii")
        marked = start + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + rest
        (folder / name).write_bytes(marked)
        names.append(name)
    return names


def _draw_boxes(rng: np.random.Generator, count: int) -> Floats:
    """Return (n, 4) boxes inside the image, most of them small, on a grid of quarter pixels."""
    height = np.clip(rng.lognormal(4.2, 0.7, count), 8, HEIGHT - 1)
    width = np.clip(height * rng.lognormal(-0.4, 0.4, count), 8, WIDTH - 1)
    left = rng.random(count) * (WIDTH - width)
    top = rng.random(count) * (HEIGHT - height)
    return np.round(np.column_stack([left, top, width, height]) * 4) / 4


def _draw_detections(
    rng: np.random.Generator, image: Ints, category: Ints, boxes: Floats, missed: NDArray[np.bool_],
    *, images: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return moved boxes of what is found, and false alarms in place of what is not."""
    moved = boxes[~missed] + rng.normal(0, 1.0, (int((~missed).sum()), 4))
    moved[:, 2:] = np.maximum(moved[:, 2:], 4)
    alarms = int(missed.sum())
    return _list_results(
        np.concatenate([image[~missed], rng.integers(0, images, alarms)]),
        np.concatenate([category[~missed], rng.integers(0, len(CATEGORIES), alarms)]),
        np.concatenate([moved, _draw_boxes(rng, alarms)]),
        np.concatenate([rng.beta(5, 2, len(moved)), rng.beta(2, 5, alarms)]),
    )


def _list_annotations(image: Ints, category: Ints, boxes: Floats) -> list[dict[str, Any]]:
    columns = zip(image.tolist(), category.tolist(), boxes.tolist(), strict=True)
    return [
        {"id": number, "image_id": i, "category_id": c, "bbox": box, "area": box[2] * box[3],
         "iscrowd": 0}
        for number, (i, c, box) in enumerate(columns, start=1)
    ]  # fmt: skip


def _list_results(
    image: Ints, category: Ints, boxes: Floats, scores: Floats
) -> list[dict[str, Any]]:
    rounded = np.round(boxes, 2).tolist()
    columns = zip(image.tolist(), category.tolist(), rounded, np.round(scores, 4).tolist(),
                  strict=True)  # fmt: skip
    return [
        {"image_id": i, "category_id": c, "bbox": box, "score": score}
        for i, c, box, score in columns
    ]
