"""The generated world: scenes drawn by lot and written as a COCO dataset with its truth."""

import csv
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.demo.drawing.backgrounds import draw_background
from pipeline.demo.drawing.figure import draw_figure
from pipeline.demo.drawing.props import Thing, draw_cover, draw_shelter, draw_thing
from pipeline.demo.drawing.weather import add_noise, add_rain, darken, defocus, fog_share, veil
from pipeline.demo.scene_truth import (
    HEIGHT,
    IMAGE_ATTRIBUTES,
    MAX_ADULT,
    MIN_ADULT,
    PERSON_ATTRIBUTES,
    WIDTH,
    Conditions,
    Person,
    Plan,
    Scene,
    describe,
    draw_scene,
    floor_of,
)

Box = tuple[float, float, float, float]  # x, y, width, height in pixels

CHUNK = 64  # images drawn by one task of a worker


@dataclass(frozen=True)
class Picture:
    """One drawn scene: RGB pixels, and the true box of each person in the order of the scene."""

    image: Image.Image
    scene: Scene
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class World:
    """Where a written world lies, and how many images and people it holds."""

    images: Path
    annotations: Path
    attributes: Path
    conditions: Path
    n_images: int
    n_people: int


def draw_picture(seed: int, index: int, plan: Plan) -> Picture:
    """Draw image `index` of the world of `seed`: the same whatever else is drawn."""
    rng = np.random.default_rng([seed, index])
    return paint_scene(draw_scene(rng, plan), rng)


def paint_scene(scene: Scene, rng: np.random.Generator) -> Picture:
    """Paint a scene from far to near: place, things and people, then what the conditions do."""
    conditions = scene.conditions
    thickness = rng.uniform(0.42, 0.72)
    canvas, light = draw_background(conditions, rng)
    canvas = veil(canvas, fog_share(conditions, 2.6, thickness))
    boxes: dict[int, Box] = {}
    stand: list[tuple[float, Person | Thing]] = [(person.scale, person) for person in scene.people]
    things = [(thing.scale, thing) for thing in _draw_things(scene, rng)]
    for scale, item in sorted([*stand, *things], key=lambda pair: pair[0]):
        share = fog_share(conditions, MAX_ADULT / scale, thickness)
        if isinstance(item, Thing):
            _paste(canvas, light, item, (item.left, item.floor - item.image.height), share)
        else:
            boxes[id(item)] = _put_person(canvas, light, item, share, rng, conditions)
    if conditions.time == "night":
        canvas = darken(canvas, light, rng)
    if conditions.weather == "rain":
        canvas = add_rain(canvas, rng)
    if conditions.focus == "blurred":
        canvas = defocus(canvas, rng)
    canvas = add_noise(canvas, rng, night=conditions.time == "night")
    return Picture(canvas, scene, tuple(boxes[id(person)] for person in scene.people))


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
    starts = [range(start, min(start + CHUNK, images)) for start in range(0, images, CHUNK)]
    if workers <= 1:
        return _write_truth(world, map(draw, starts))
    # Spawned, not forked: the caller may have started threads. Workers import no torch.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return _write_truth(world, pool.map(draw, starts))


def _draw_things(scene: Scene, rng: np.random.Generator) -> list[Thing]:
    """Draw two to five things that stand about, none of them in front of a person."""
    things = []
    for _ in range(int(rng.integers(2, 6))):
        scale, x = float(rng.uniform(MIN_ADULT, MAX_ADULT)), float(rng.uniform(0, WIDTH))
        floor = floor_of(scale) + float(rng.uniform(-4, 2))
        hides = any(
            scale >= person.scale - 6 and abs(x - person.x) < 0.26 * person.scale + 0.3 * scale
            for person in scene.people
        )
        if not hides:
            things.append(draw_thing(rng, x=x, floor=floor, scale=scale))
    return things


def _put_person(
    canvas: Image.Image,
    light: Image.Image,
    person: Person,
    share: float,
    rng: np.random.Generator,
    conditions: Conditions,
) -> Box:
    """Paste a person, and what hides part of it; return the box of the whole figure."""
    sheltered = person.pose == "sitting" and conditions.place == "platform"
    holds = "" if sheltered else _choose_load(person, conditions)
    figure = draw_figure(person, rng, holds=holds)
    left, top = round(person.x - figure.foot[0]), round(person.floor - figure.foot[1])
    thing = Thing(figure.image, figure.light, left, person.floor, person.scale)
    _paste(canvas, light, thing, (left, top), share)
    bounds = figure.image.getchannel("A").point([0] * 96 + [255] * 160).getbbox()
    x0, y0, x1, y1 = bounds or (0, 0, 1, 1)
    box = (left + x0, top + y0, left + x1, top + y1)
    middle, width, scale = (box[0] + box[2]) / 2, float(box[2] - box[0]), float(box[3] - box[1])
    fronts = []
    if sheltered:
        floor = box[3] + 1.0
        fronts.append(draw_shelter(rng, middle=middle, width=width, floor=floor, scale=scale))
    if person.occlusion == "partial":
        floor = box[3] + 2.0
        fronts.append(draw_cover(rng, middle=middle, width=width, floor=floor, scale=scale))
    for front in fronts:
        _paste(canvas, light, front, (front.left, front.floor - front.image.height), share)
    x, y = max(box[0], 0), max(box[1], 0)
    return (float(x), float(y), float(min(box[2], WIDTH) - x), float(min(box[3], HEIGHT) - y))


def _choose_load(person: Person, conditions: Conditions) -> str:
    """Return what a person holds: the old an umbrella in the rain, workers on the move a plank."""
    if person.age == "senior" and conditions.weather == "rain":
        return "umbrella"
    return "plank" if person.vest == "yes" and person.pose == "walking" else ""


def _paste(
    canvas: Image.Image, light: Image.Image, thing: Thing, corner: tuple[float, float], share: float
) -> None:
    """Paste a thing and its light; what stands in front hides the light behind it."""
    place = (round(corner[0]), round(corner[1]))
    mask = thing.image.getchannel("A")
    canvas.paste(veil(thing.image, share), place, mask)
    glow = Image.blend(thing.light, Image.new("RGB", thing.light.size), share * 0.6)
    light.paste(glow, place, mask)


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
            conditions.writerow([name, *_values(scene.conditions).values()])
            for person, box in zip(scene.people, boxes, strict=True):
                number += 1
                entries.append(json.dumps(_annotation(number, index + 1, box)))
                people.writerow([number, name, *_values(scene.conditions, person).values()])
        coco.write('],\n"annotations": [\n' + ",\n".join(entries) + "]}\n")
    return World(**{**world.__dict__, "n_people": number})


def _values(conditions: Conditions, person: Person | None = None) -> dict[str, str]:
    return describe(conditions, person)


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
