"""One picture of a scene: background, props and people from far to near, then the conditions."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.demo.drawing.backgrounds import draw_background
from pipeline.demo.drawing.figure import draw_figure
from pipeline.demo.drawing.props import Prop, draw_cover, draw_prop, draw_shelter
from pipeline.demo.drawing.weather import add_noise, add_rain, darken, defocus, fog_share, veil
from pipeline.demo.pixels import Box
from pipeline.demo.scene_truth import (
    HEIGHT,
    MAX_ADULT,
    MIN_ADULT,
    WIDTH,
    Conditions,
    Person,
    Plan,
    Scene,
    draw_scene,
    floor_of,
)


@dataclass(frozen=True)
class Picture:
    """One drawn scene: RGB pixels, and the true box of each person in the order of the scene."""

    image: Image.Image
    scene: Scene
    boxes: tuple[Box, ...]


def draw_picture(seed: int, index: int, plan: Plan) -> Picture:
    """Draw image `index` of the world of `seed`: the same whatever else is drawn."""
    rng = np.random.default_rng([seed, index])
    return paint_scene(draw_scene(rng, plan), rng)


def paint_scene(scene: Scene, rng: np.random.Generator) -> Picture:
    """Paint a scene from far to near: place, props and people, then what the conditions do."""
    conditions = scene.conditions
    thickness = rng.uniform(0.42, 0.72)
    canvas, light = draw_background(conditions, rng)
    canvas = veil(canvas, fog_share(conditions, 2.6, thickness))
    boxes: dict[int, Box] = {}
    items: list[tuple[float, Person | Prop]] = [(person.scale, person) for person in scene.people]
    items += [(prop.scale, prop) for prop in _draw_props(scene, rng)]
    for scale, item in sorted(items, key=lambda pair: pair[0]):
        share = fog_share(conditions, MAX_ADULT / scale, thickness)
        if isinstance(item, Prop):
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


def _draw_props(scene: Scene, rng: np.random.Generator) -> list[Prop]:
    """Draw two to five props, none of them in front of a person."""
    props = []
    for _ in range(int(rng.integers(2, 6))):
        scale, x = float(rng.uniform(MIN_ADULT, MAX_ADULT)), float(rng.uniform(0, WIDTH))
        floor = floor_of(scale) + float(rng.uniform(-4, 2))
        hides = any(
            scale >= person.scale - 6 and abs(x - person.x) < 0.26 * person.scale + 0.3 * scale
            for person in scene.people
        )
        if not hides:
            props.append(draw_prop(rng, x=x, floor=floor, scale=scale))
    return props


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
    prop = Prop(figure.image, figure.light, left, person.floor, person.scale)
    _paste(canvas, light, prop, (left, top), share)
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
    canvas: Image.Image, light: Image.Image, prop: Prop, corner: tuple[float, float], share: float
) -> None:
    """Paste a prop and its light; what is in front hides the light behind it."""
    place = (round(corner[0]), round(corner[1]))
    mask = prop.image.getchannel("A")
    canvas.paste(veil(prop.image, share), place, mask)
    glow = Image.blend(prop.light, Image.new("RGB", prop.light.size), share * 0.6)
    light.paste(glow, place, mask)
