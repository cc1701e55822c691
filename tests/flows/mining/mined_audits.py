"""An audit with a planted weakness, and a pool of which is known what belongs to it."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.arrays import Array
from tests.tiny_clip import write_tiny

OBJECTS = """\
name = "boxes"
[dataset]
format = "coco"
sample = "object"
images = "images"
annotations = "annotations.json"
[encoder]
model = "local-dir:tiny"
[attributes]
use = ["mine/tone.toml"]
given = ["paint"]
[[systems]]
name = "system"
format = "coco-detections"
predictions = "detections.json"
error = "miss"
[slices]
max_level = 2
"""
WIDTH, HEIGHT = 96, 48


def write_objects(folder: Path, *, count: int = 120, first: int = 0) -> Path:
    """Write an audit of boxes, of which the system misses the dark ones; return its audit.toml.

    Every third image has a dark box beside a light one, others two light ones; the surroundings are
    gray. first: the number of the first image, which decides its pixels.
    """
    (folder / "images").mkdir(parents=True)
    images, annotations, detections = [], [], []
    for number in range(count):
        dark = number % 3 == 0
        pixels, boxes = draw_boxes(first + number, dark=dark)
        name = f"{number:04}.png"
        Image.fromarray(pixels).save(folder / "images" / name)
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for place, box in enumerate(boxes):
            own = {"image_id": number, "category_id": 1, "bbox": box}
            paint = "dark" if dark and place == 0 else "light"
            annotations.append(
                {"id": 2 * number + place, **own, "area": box[2] * box[3], "iscrowd": 0,
                 "paint": paint}
            )  # fmt: skip
            if paint == "light":
                detections.append({**own, "score": 0.9})
    coco = {"images": images, "annotations": annotations,
            "categories": [{"id": 1, "name": "thing"}]}  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(coco))
    (folder / "detections.json").write_text(json.dumps(detections))
    (folder / "mine").mkdir()
    (folder / "mine" / "tone.toml").write_text(TONE)
    write_tiny(folder / "tiny")
    config = folder / "audit.toml"
    config.write_text(OBJECTS)
    return config


TONE = """\
name = "tone"
kind = "prompts"
applies_to = "object"
min_margin = 0.0
templates = ["a photo of {}."]
[values]
dark = ["a dark thing", "a dim thing", "a gloomy thing", "a black thing"]
light = ["a light thing", "a bright thing", "a sunny thing", "a white thing"]
"""


def is_hit(path: str) -> bool:
    """Return whether an image of the pool, or of an audit, has a dark box."""
    return int(path[:4]) % 3 == 0


def draw_boxes(number: int, *, dark: bool) -> tuple[Array, list[list[float]]]:
    """Return pixels of an image, and its two boxes, the first of which is dark where it is to be.

    Boxes lie at one of two places of the left and of the right half.
    """
    rng = np.random.default_rng([number, int(dark)])
    pixels = rng.normal(128, 10, (HEIGHT, WIDTH, 3))
    sides = [int(rng.integers(2)) * 12 + 6, int(rng.integers(2)) * 12 + 56]
    rng.shuffle(sides)
    boxes = []
    for place, left in enumerate(sides):
        tone = 20 if dark and place == 0 else 235
        pixels[10:38, left : left + 20] = tone + rng.normal(0, 6, (28, 20, 3))
        boxes.append([float(left), 10.0, 20.0, 28.0])
    return pixels.clip(0, 255).astype(np.uint8), boxes


def write_pool(folder: Path, *, count: int = 90) -> Path:
    """Write images as those of `write_objects`, without annotations; every third has a dark box."""
    folder.mkdir()
    for number in range(count):
        pixels, _ = draw_boxes(10_000 + number, dark=number % 3 == 0)
        Image.fromarray(pixels).save(folder / f"{number:04}.png")
    return folder
