"""Draws one person: a figure of limbs and clothes on a transparent patch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pipeline.demo.drawing.head import draw_head, draw_long_hair, draw_umbrella
from pipeline.demo.drawing.pen import SUPERSAMPLE, Color, Pen, Point, choose, shade
from pipeline.demo.scene_truth import Person

HEIGHT_OF_AGE = {"adult": 1.0, "child": 0.56, "senior": 0.95}
HEAD_OF_AGE = {"adult": 0.21, "child": 0.305, "senior": 0.215}  # of the figure's height
SKIN: Sequence[Color] = (
    (244, 208, 177),
    (224, 172, 125),
    (198, 134, 86),
    (141, 85, 54),
    (92, 58, 40),
)
HAIR = {
    "dark": (38, 27, 22),
    "blond": (226, 190, 92),
    "red": (178, 74, 30),
    "gray": (186, 188, 192),
}
CLOTHING = {
    "red": (200, 36, 40),
    "blue": (42, 82, 190),
    "green": (40, 140, 66),
    "white": (238, 238, 234),
    "black": (26, 26, 30),
}
TROUSERS: Sequence[Color] = (
    (50, 56, 80),
    (90, 90, 94),
    (110, 84, 60),
    (70, 74, 60),
    (140, 130, 110),
)
VESTS: Sequence[Color] = ((255, 120, 16), (216, 246, 40))
PLANKS: Sequence[Color] = ((206, 164, 104), (170, 122, 70), (150, 150, 156))
STRIPE: Color = (226, 228, 226)


@dataclass(frozen=True)
class Figure:
    """A drawn person: RGBA pixels, light it gives off at night (RGB), and where its feet stand."""

    image: Image.Image
    light: Image.Image
    foot: Point  # in pixels of the patch


def draw_figure(person: Person, rng: np.random.Generator, *, holds: str = "") -> Figure:
    """Draw a person as large as `person.scale` says; `rng` decides looks that are no attribute.

    holds: "umbrella" or "plank"; it belongs to the figure and its box.
    """
    height = person.scale * HEIGHT_OF_AGE[person.age] * rng.uniform(0.95, 1.05)
    unit = height * SUPERSAMPLE
    size = (round(unit * 1.1) // 3 * 3 + 3, round(unit * 1.32) // 3 * 3 + 3)
    image, light = Image.new("RGBA", size), Image.new("RGB", size)
    origin = (size[0] / 2, unit * 0.27)
    pen = Pen(ImageDraw.Draw(image), ImageDraw.Draw(light), unit, origin, rng)
    floor = _draw_person(pen, person, holds=holds)
    small, glow = image.reduce(SUPERSAMPLE), light.reduce(SUPERSAMPLE)
    foot = (origin[0] / SUPERSAMPLE, (origin[1] + floor * unit) / SUPERSAMPLE)
    if rng.random() < 0.5:
        small, glow = (
            picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for picture in (small, glow)
        )
        foot = (small.width - foot[0], foot[1])
    return Figure(small, glow, foot)


def _draw_person(pen: Pen, person: Person, *, holds: str) -> float:
    """Draw the parts from back to front; return how far below the top the feet are, in units."""
    rng = pen.rng
    head = HEAD_OF_AGE[person.age]
    skin, top = choose(SKIN, rng), shade(CLOTHING[person.clothing], rng)
    stoop = rng.uniform(0.04, 0.08) if person.age == "senior" else 0.0
    lift = 0.03 if stoop else 0.0
    face = (stoop, head / 2 + lift)
    long_hair = rng.random() < (0.88 if person.sex == "woman" else 0.06)
    hair = shade(HAIR[person.hair], rng, 12)
    if long_hair:
        draw_long_hair(pen, face, head, hair)
    shoulder = head + 0.035 + lift
    hip = shoulder + (0.30 if person.age != "child" else 0.28)
    # Who wears black mostly wears it from top to toe.
    alike = 0.85 if person.clothing == "black" else 0.5
    trousers = shade(top, rng) if rng.random() < alike else choose(TROUSERS, rng)
    floor = _draw_legs(pen, person, hip, trousers)
    _draw_torso(pen, person, (stoop * 0.6, shoulder), hip, top)
    _draw_arms(pen, person, (stoop * 0.6, shoulder), hip, floor, (top, skin))
    pen.limb([(face[0], face[1]), (stoop * 0.7, shoulder)], head * 0.3, skin)
    draw_head(pen, person, face, head, (skin, hair))
    if holds == "umbrella":
        draw_umbrella(pen, face, head, floor)
    elif holds == "plank":
        _draw_plank(pen, shoulder)
    return floor


def _draw_plank(pen: Pen, shoulder: float) -> None:
    """Draw a long plank, carried across the shoulders."""
    color, tilt = choose(PLANKS, pen.rng), pen.rng.uniform(-0.05, 0.05)
    left, right = pen.rng.uniform(-0.52, -0.46), pen.rng.uniform(0.46, 0.52)
    ends = [(left, shoulder - tilt), (right, shoulder + tilt)]
    pen.shape([*ends, *((x, y + 0.05) for x, y in reversed(ends))], color)


def _draw_legs(pen: Pen, person: Person, hip: float, color: Color) -> float:
    rng = pen.rng
    shoe = shade((44, 38, 36), rng)
    width = 0.085 if person.sex == "man" else 0.075
    skirt = person.sex == "woman" and rng.random() < 0.5
    if person.pose == "sitting":
        return _draw_sitting_legs(pen, hip, (color, shoe), width, skirt=skirt)
    stride = rng.uniform(0.12, 0.17) if person.pose == "walking" else rng.uniform(0.0, 0.015)
    knee = (hip + 1.0) / 2
    calf = shade(SKIN[1], rng) if skirt else color
    for side in (-1, 1):
        foot = side * (0.05 + stride)
        bend = 0.03 if person.pose == "walking" and side == 1 else 0.0
        pen.limb([(side * 0.05, hip), (foot * 0.55 + side * 0.02 + bend, knee)], width, color)
        pen.limb([(foot * 0.55 + side * 0.02 + bend, knee), (foot, 0.965)], width * 0.85, calf)
        pen.limb([(foot, 0.98), (foot + 0.045, 0.985)], 0.04, shoe)
    if skirt:
        flare = 0.10 + stride * 0.6
        pen.shape([(-0.075, hip - 0.03), (0.075, hip - 0.03), (flare, knee), (-flare, knee)], color)
    return 1.0


def _draw_sitting_legs(
    pen: Pen, hip: float, colors: tuple[Color, Color], width: float, *, skirt: bool
) -> float:
    """Draw a bench, thighs to one side and shins down; the figure is as much lower as a thigh."""
    color, shoe = colors
    bench = shade((120, 96, 66), pen.rng, 30)
    floor = hip + 0.25
    pen.shape(
        [(-0.2, hip + 0.03), (0.14, hip + 0.03), (0.14, hip + 0.08), (-0.2, hip + 0.08)], bench
    )
    for x in (-0.16, 0.09):
        pen.limb([(x, hip + 0.08), (x, floor - 0.015)], 0.03, bench)
    for shift in (0.0, 0.05):
        knee = (0.2 + shift, hip + 0.01 + shift * 0.3)
        pen.limb([(0.0, hip), knee], width * (1.5 if skirt else 1.1), color)
        pen.limb([knee, (0.19 + shift, floor - 0.03)], width * 0.85, color)
        pen.limb([(0.19 + shift, floor - 0.015), (0.235 + shift, floor - 0.01)], 0.04, shoe)
    return floor


def _draw_torso(pen: Pen, person: Person, neck: Point, hip: float, top: Color) -> None:
    x, shoulder = neck
    half = {"man": 0.135, "woman": 0.098}[person.sex] * (0.95 if person.age == "child" else 1.0)
    waist = {"man": 0.095, "woman": 0.068}[person.sex]
    low = 0.092 if person.sex == "woman" else 0.095
    middle = (shoulder + hip) / 2 + 0.02
    outline = [
        (x - half, shoulder + 0.015),
        (x - half * 0.6, shoulder - 0.015),
        (x + half * 0.6, shoulder - 0.015),
        (x + half, shoulder + 0.015),
        (x / 2 + waist, middle),
        (low, hip + 0.02),
        (-low, hip + 0.02),
        (x / 2 - waist, middle),
    ]
    pen.shape(outline, top)
    if person.vest == "yes":
        _draw_vest(pen, outline)


def _draw_vest(pen: Pen, outline: Sequence[Point]) -> None:
    """Draw a high-visibility vest; its stripes throw light back at night."""
    color = choose(VESTS, pen.rng)
    (left, top), (right, _) = outline[0], outline[3]
    low = outline[5][1] - 0.01
    width = max(abs(outline[5][0]), abs(outline[4][0])) + 0.012
    cloth = [(left, top), outline[1], outline[2], (right, top), (width, low), (-width, low)]
    pen.shape(cloth, color)
    pen.shine_shape(cloth, (196, 198, 190))
    height = low - top
    glow = int(pen.rng.integers(200, 256))
    for share in (0.42, 0.72):
        y = top + height * share
        a, b = left + (-width - left) * share, right + (width - right) * share
        band = [(a, y), (b, y), (b, y + 0.034), (a, y + 0.034)]
        pen.shape(band, STRIPE)
        pen.shine_shape(band, (glow, glow, int(glow * 0.9)))
    for side in (-1, 1):
        x = (left + right) / 2 + side * width * 0.5
        band = [
            (x - 0.013, top - 0.02),
            (x + 0.013, top - 0.02),
            (x + 0.013, low),
            (x - 0.013, low),
        ]
        pen.shape(band, STRIPE)
        pen.shine_shape(band, (glow, glow, int(glow * 0.9)))


def _draw_arms(
    pen: Pen, person: Person, neck: Point, hip: float, floor: float, colors: tuple[Color, Color]
) -> None:
    rng = pen.rng
    top, skin = colors
    half = {"man": 0.135, "woman": 0.098}[person.sex]
    elbow = (neck[1] + hip) / 2 + 0.02
    for side in (-1, 1):
        start = (neck[0] + side * (half - 0.012), neck[1] + 0.025)
        swing = rng.uniform(0.05, 0.1) if person.pose == "walking" else rng.uniform(0.0, 0.03)
        joint = (start[0] + side * (0.02 + swing * 0.5), elbow)
        raised = person.pose != "walking" and rng.random() < 0.2
        hand = (joint[0] + side * swing, hip + 0.01)
        if raised:
            hand = (joint[0] - side * 0.06, elbow - 0.05)
        pen.limb([start, joint], 0.058, top)
        pen.limb([joint, hand], 0.048, top)
        pen.oval(hand, (0.027, 0.027), skin)
        if person.age == "senior" and side == 1 and person.pose != "sitting":
            pen.limb(
                [(hand[0] + 0.03, hand[1] - 0.02), (hand[0] + 0.05, floor - 0.01)],
                0.018,
                (92, 62, 34),
            )
