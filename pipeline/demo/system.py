"""The sample that the system under test learns from, and its predictions on a written world."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from pipeline.demo.chunks import map_chunks
from pipeline.demo.drawing.picture import draw_picture
from pipeline.demo.pixels import Box, Pixels, shrink
from pipeline.demo.scene_truth import CONDITION_SHARES, PERSON_SHARES, Group, Plan

if TYPE_CHECKING:
    from torch import nn

# Groups that the system hardly ever saw in training.
LEFT_OUT: tuple[Group, ...] = (
    (("age", "child"),),
    (("occlusion", "partial"),),
    (("time", "night"), ("weather", "fog")),
    (("place", "platform"), ("pose", "sitting")),
    (("age", "senior"), ("weather", "rain")),
    (("pose", "walking"), ("vest", "yes")),
)
KEEP = 0.02  # share of those groups that stays in the sample
SAMPLE = 1200  # images to learn from
MIN_SCORE = 0.45  # a detection with less is not reported

LACKING = Plan(left_out=LEFT_OUT, keep=KEEP)
# A sample of the same size in which the values that matter to those groups occur alike.
BALANCED = Plan(
    conditions={
        **CONDITION_SHARES,
        **{name: dict.fromkeys(CONDITION_SHARES[name], 1.0) for name in ("time", "weather")},
    },
    people={
        **PERSON_SHARES,
        **{
            name: dict.fromkeys(PERSON_SHARES[name], 1.0)
            for name in ("age", "occlusion", "pose", "vest")
        },
    },
)


def draw_sample(
    plan: Plan, *, images: int, seed: int, workers: int = 1
) -> tuple[list[Pixels], list[tuple[Box, ...]]]:
    """Draw a training sample in memory: pixels and the boxes of the people in them."""
    draw = partial(_draw_chunk, seed=seed, plan=plan)
    pairs = [pair for part in map_chunks(draw, images=images, workers=workers) for pair in part]
    return [pixels for pixels, _ in pairs], [boxes for _, boxes in pairs]


@dataclass(frozen=True)
class Labelled:
    """Images with the boxes of their people: what a detector learns from."""

    pixels: Sequence[Pixels]
    boxes: Sequence[Sequence[Box]]


def read_labelled(annotations: Path, images: Path, paths: Sequence[str]) -> Labelled:
    """Read some images of a written world with their true boxes, in the order of `paths`."""
    world = json.loads(annotations.read_text(encoding="utf-8"))
    names = {entry["id"]: entry["file_name"] for entry in world["images"]}
    boxes: dict[str, list[Box]] = {path: [] for path in paths}
    for one in world["annotations"]:
        if (name := names[one["image_id"]]) in boxes:
            x, y, w, h = one["bbox"]
            boxes[name].append((x, y, w, h))
    pixels = [shrink(Image.open(images / path)) for path in paths]
    return Labelled(pixels, [boxes[path] for path in paths])


def train_system(
    plan: Plan,
    *,
    seed: int,
    workers: int = 1,
    images: int = SAMPLE,
    more: Labelled | None = None,
) -> "nn.Module":
    """Draw a sample by `plan` and train the detector on it; more: images that are added to it."""
    from pipeline.demo.person_detector import (
        train_detector,  # torch takes seconds that workers save
    )

    # Its own world: seeds of audited worlds are small.
    pixels, boxes = draw_sample(plan, images=images, seed=10_000_000 + seed, workers=workers)
    if more is not None:
        pixels, boxes = [*pixels, *more.pixels], [*boxes, *map(tuple, more.boxes)]
    return train_detector(pixels, boxes, seed=seed)


def write_predictions(network: "nn.Module", annotations: Path, images: Path, file: Path) -> int:
    """Run the detector on the images of a COCO file; write its detections; return how many.

    The detector is given pixels alone; the annotations only say which image has which id.
    """
    from pipeline.demo.person_detector import predict

    listed = json.loads(annotations.read_text(encoding="utf-8"))["images"]
    results = []
    for batch in _split(listed, 256):
        pixels = [shrink(Image.open(images / entry["file_name"])) for entry in batch]
        for entry, detections in zip(
            batch, predict(network, pixels, min_score=MIN_SCORE), strict=True
        ):
            results += [
                {
                    "image_id": entry["id"],
                    "category_id": 1,
                    "bbox": [round(value, 2) for value in item.box],
                    "score": round(item.score, 5),
                }
                for item in detections
            ]
    file.write_text(json.dumps(results), encoding="utf-8")
    return len(results)


def _draw_chunk(indices: range, *, seed: int, plan: Plan) -> list[tuple[Pixels, tuple[Box, ...]]]:
    pictures = (draw_picture(seed, index, plan) for index in indices)
    return [(shrink(picture.image), picture.boxes) for picture in pictures]


def _split(rows: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
