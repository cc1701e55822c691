"""The generated world: scenes drawn by lot and written as a COCO dataset with its truth."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.demo.chunks import map_chunks
from pipeline.demo.drawing.picture import draw_picture
from pipeline.demo.pixels import Box
from pipeline.demo.scene_truth import (
    HEIGHT,
    IMAGE_ATTRIBUTES,
    PERSON_ATTRIBUTES,
    WIDTH,
    Plan,
    Scene,
    describe,
)


@dataclass(frozen=True)
class World:
    """The files of a written world, and how many images and people it holds."""

    images: Path
    annotations: Path
    attributes: Path
    conditions: Path
    n_images: int
    n_people: int


def write_world(
    folder: Path, *, images: int, seed: int, plan: Plan | None = None, workers: int = 1
) -> World:
    """Write a world as JPEG files, COCO annotations and two CSV files with every true value.

    The first N images are the same for any number of images and workers. attributes.csv has one
    row a person, keyed by annotation_id; conditions.csv one row an image, keyed by path.
    """
    pictures = folder / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    world = World(
        images=pictures,
        annotations=folder / "annotations.json",
        attributes=folder / "attributes.csv",
        conditions=folder / "conditions.csv",
        n_images=images,
        n_people=0,
    )
    draw = partial(_write_chunk, pictures, seed=seed, plan=plan or Plan())
    return _write_truth(world, map_chunks(draw, images=images, workers=workers))


def _write_chunk(
    folder: Path, indices: range, *, seed: int, plan: Plan
) -> list[tuple[int, Scene, tuple[Box, ...]]]:
    rows = []
    for index in indices:
        picture = draw_picture(seed, index, plan)
        picture.image.save(folder / _file_name(index), quality=90)
        rows.append((index, picture.scene, picture.boxes))
    return rows


def _write_truth(world: World, chunks: Iterator[list[tuple[int, Scene, tuple[Box, ...]]]]) -> World:
    """Write annotations and truth as the chunks come in; return the world with its counts."""
    entries: list[str] = []
    number = 0
    with (
        world.attributes.open("w", newline="", encoding="utf-8") as people_file,
        world.conditions.open("w", newline="", encoding="utf-8") as conditions_file,
        world.annotations.open("w", encoding="utf-8") as coco,
    ):
        people, conditions = csv.writer(people_file), csv.writer(conditions_file)
        people.writerow(["annotation_id", "path", *IMAGE_ATTRIBUTES, *PERSON_ATTRIBUTES])
        conditions.writerow(["path", *IMAGE_ATTRIBUTES])
        coco.write('{"categories": [{"id": 1, "name": "person"}],\n"images": [')
        for index, scene, boxes in (row for chunk in chunks for row in chunk):
            name = _file_name(index)
            size = {"file_name": name, "width": WIDTH, "height": HEIGHT}
            coco.write((",\n" if index else "\n") + json.dumps({"id": index + 1, **size}))
            conditions.writerow([name, *describe(scene.conditions).values()])
            for person, box in zip(scene.people, boxes, strict=True):
                number += 1
                entries.append(json.dumps(_annotation(number, index + 1, box)))
                people.writerow([number, name, *describe(scene.conditions, person).values()])
        coco.write('],\n"annotations": [\n' + ",\n".join(entries) + "]}\n")
    return replace(world, n_people=number)


def _annotation(number: int, image: int, box: Box) -> dict[str, object]:
    area = box[2] * box[3]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": list(box),
        "area": area,
        "iscrowd": 0,
    }


def _file_name(index: int) -> str:
    return f"{index:07d}.jpg"
