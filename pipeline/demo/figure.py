"""Draws one person: a figure of limbs, clothes and headwear on a transparent patch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pipeline.demo.facts import Person

Color = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLE = 3  # figures are drawn this much larger and averaged down
HEIGHT_OF_AGE = {"adult": 1.0, "child": 0.66, "senior": 0.95}
HEAD_OF_AGE = {"adult": 0.19, "child": 0.285, "senior": 0.195}  # of the figure's height

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
HATS: Sequence[Color] = ((96, 60, 36), (52, 70, 96), (104, 34, 52), (60, 84, 56), (70, 66, 74))
HELMETS: Sequence[Color] = ((250, 250, 246), (250, 212, 30), (246, 122, 24), (60, 140, 226))
VESTS: Sequence[Color] = ((255, 120, 16), (216, 246, 40))
UMBRELLAS: Sequence[Color] = (
    (60, 60, 70),
    (120, 34, 50),
    (40, 90, 110),
    (150, 120, 60),
    (90, 60, 120),
)
STRIPE: Color = (226, 228, 226)


@dataclass(frozen=True)
class Figure:
    """A drawn person: RGBA pixels, light it gives off at night (RGB), and where its feet stand."""

    image: Image.Image
    light: Image.Image
    foot: Point  # in pixels of the patch


@dataclass(frozen=True)
class _Pen:
    """A patch at supersampled scale; one unit is the figure's height, y runs down from its top."""

    draw: ImageDraw.ImageDraw
    light: ImageDraw.ImageDraw
    unit: float
    origin: Point
    rng: np.random.Generator

    def at(self, x: float, y: float) -> Point:
        return (self.origin[0] + x * self.unit, self.origin[1] + y * self.unit)

    def limb(self, points: Sequence[Point], width: float, color: Color) -> None:
        path = [self.at(*point) for point in points]
        self.draw.line(path, fill=color, width=max(1, round(width * self.unit)), joint="curve")
        for x, y in points:
            self.oval((x, y), (width / 2, width / 2), color)

    def oval(self, center: Point, radii: Point, color: Color) -> None:
        self.draw.ellipse(self._box(center, radii), fill=color)

    def dome(self, center: Point, radii: Point, color: Color) -> None:
        self.draw.pieslice(self._box(center, radii), 180, 360, fill=color)

    def shape(self, points: Sequence[Point], color: Color) -> None:
        self.draw.polygon([self.at(*point) for point in points], fill=color)

    def ring(self, center: Point, radii: Point, width: float, color: Color) -> None:
        thick = max(1, round(width * self.unit))
        self.draw.ellipse(self._box(center, radii), outline=color, width=thick)

    def shine(self, center: Point, radius: float, color: Color) -> None:
        self.light.ellipse(self._box(center, (radius, radius)), fill=color)

    def shine_shape(self, points: Sequence[Point], color: Color) -> None:
        self.light.polygon([self.at(*point) for point in points], fill=color)

    def _box(self, center: Point, radii: Point) -> tuple[float, float, float, float]:
        left, top = self.at(center[0] - radii[0], center[1] - radii[1])
        right, bottom = self.at(center[0] + radii[0], center[1] + radii[1])
        return (left, top, max(right, left + 1), max(bottom, top + 1))


def draw_figure(person: Person, rng: np.random.Generator, *, umbrella: bool = False) -> Figure:
    """Draw a person as large as `person.scale` says; `rng` decides looks that are no attribute.

    umbrella: the person holds an open one, which belongs to the figure and its box.
    """
    height = person.scale * HEIGHT_OF_AGE[person.age] * rng.uniform(0.95, 1.05)
    unit = height * SUPERSAMPLE
    size = (round(unit * 1.1) // 3 * 3 + 3, round(unit * 1.32) // 3 * 3 + 3)
    image, light = Image.new("RGBA", size), Image.new("RGB", size)
    origin = (size[0] / 2, unit * 0.27)
    pen = _Pen(ImageDraw.Draw(image), ImageDraw.Draw(light), unit, origin, rng)
    floor = _draw_person(pen, person, umbrella=umbrella)
    small, glow = image.reduce(SUPERSAMPLE), light.reduce(SUPERSAMPLE)
    foot = (origin[0] / SUPERSAMPLE, (origin[1] + floor * unit) / SUPERSAMPLE)
    if rng.random() < 0.5:
        small, glow = (
            picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for picture in (small, glow)
        )
        foot = (small.width - foot[0], foot[1])
    return Figure(small, glow, foot)


def shade(color: Color, rng: np.random.Generator, spread: float = 18.0) -> Color:
    """Vary a color a little, so that no exact value means anything."""
    shift = rng.normal(0, spread * 0.5) + rng.normal(0, spread * 0.35, 3)
    red, green, blue = (
        int(np.clip(part + move, 0, 255)) for part, move in zip(color, shift, strict=True)
    )
    return (red, green, blue)


def _choose(colors: Sequence[Color], rng: np.random.Generator) -> Color:
    return shade(colors[int(rng.integers(len(colors)))], rng)


def _draw_person(pen: _Pen, person: Person, *, umbrella: bool) -> float:
    """Draw the parts from back to front; return how far below the top the feet are, in units."""
    rng = pen.rng
    head = HEAD_OF_AGE[person.age]
    skin, top = _choose(SKIN, rng), shade(CLOTHING[person.clothing], rng)
    stoop = rng.uniform(0.04, 0.08) if person.age == "senior" else 0.0
    lift = 0.03 if stoop else 0.0
    face = (stoop, head / 2 + lift)
    long_hair = rng.random() < (0.88 if person.sex == "woman" else 0.06)
    hair = shade(HAIR[person.hair], rng, 12)
    if long_hair:
        _draw_long_hair(pen, face, head, hair)
    shoulder = head + 0.035 + lift
    hip = shoulder + (0.30 if person.age != "child" else 0.28)
    # Who wears black mostly wears it from top to toe.
    alike = 0.85 if person.clothing == "black" else 0.5
    trousers = shade(top, rng) if rng.random() < alike else _choose(TROUSERS, rng)
    floor = _draw_legs(pen, person, hip, trousers)
    _draw_torso(pen, person, (stoop * 0.6, shoulder), hip, top)
    _draw_arms(pen, person, (stoop * 0.6, shoulder), hip, floor, (top, skin))
    pen.limb([(face[0], face[1]), (stoop * 0.7, shoulder)], head * 0.3, skin)
    _draw_head(pen, person, face, head, (skin, hair))
    if umbrella:
        _draw_umbrella(pen, face, head, floor)
    return floor


def _draw_long_hair(pen: _Pen, face: Point, head: float, hair: Color) -> None:
    x, y = face
    length = pen.rng.uniform(0.75, 1.15) * head
    pen.oval((x, y), (head * 0.52, head * 0.54), hair)
    pen.shape(
        [
            (x - head * 0.52, y),
            (x + head * 0.52, y),
            (x + head * 0.5, y + length),
            (x - head * 0.5, y + length),
        ],
        hair,
    )


def _draw_legs(pen: _Pen, person: Person, hip: float, color: Color) -> float:
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
    pen: _Pen, hip: float, colors: tuple[Color, Color], width: float, *, skirt: bool
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


def _draw_torso(pen: _Pen, person: Person, neck: Point, hip: float, top: Color) -> None:
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


def _draw_vest(pen: _Pen, outline: Sequence[Point]) -> None:
    """Draw a high-visibility vest; its stripes throw light back at night."""
    color = _choose(VESTS, pen.rng)
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


def _draw_umbrella(pen: _Pen, face: Point, head: float, floor: float) -> None:
    """Draw an open umbrella, held low: it hides the top of the head and reaches far to the sides."""
    x = face[0] + pen.rng.uniform(-0.03, 0.03)
    rim, wide = face[1] - head * 0.12, pen.rng.uniform(0.38, 0.44)
    color = _choose(UMBRELLAS, pen.rng)
    fold = (int(color[0] * 0.72), int(color[1] * 0.72), int(color[2] * 0.72))
    pen.limb([(x + 0.1, rim), (x + 0.1, rim + 0.42 * floor)], 0.014, (60, 56, 54))
    pen.dome((x, rim), (wide, 0.27), color)
    for share in (-0.45, 0.0, 0.45):
        pen.limb([(x, rim - 0.26), (x + share * wide, rim - 0.01)], 0.012, fold)
    pen.limb([(x - wide, rim), (x + wide, rim)], 0.014, fold)


def _draw_arms(
    pen: _Pen, person: Person, neck: Point, hip: float, floor: float, colors: tuple[Color, Color]
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


def _draw_head(
    pen: _Pen, person: Person, face: Point, head: float, colors: tuple[Color, Color]
) -> None:
    (x, y), (skin, hair) = face, colors
    rng = pen.rng
    turn = rng.uniform(-0.06, 0.1) * head
    for side in (-1, 1):
        pen.oval((x + side * head * 0.43, y + head * 0.05), (head * 0.07, head * 0.1), skin)
    pen.oval((x, y), (head * 0.43, head * 0.5), skin)
    bald = person.age == "senior" and person.sex == "man" and rng.random() < 0.3
    if not bald:
        pen.draw.chord(
            pen._box((x, y - head * 0.05), (head * 0.47, head * 0.49)), 185, 355, fill=hair
        )
    for side in (-1, 1):
        pen.limb(
            [(x + side * head * 0.42, y - head * 0.12), (x + side * head * 0.43, y + head * 0.1)],
            head * 0.1,
            hair,
        )
    if person.sex == "man" and person.age != "child" and rng.random() < 0.5:
        pen.draw.chord(pen._box((x, y + head * 0.1), (head * 0.4, head * 0.42)), 20, 160, fill=hair)
    eyes = [(x + turn + side * head * 0.19, y - head * 0.02) for side in (-1, 1)]
    for eye in eyes:
        pen.oval(eye, (head * 0.075, head * 0.075), (250, 250, 250))
        pen.oval(eye, (head * 0.05, head * 0.06), (30, 24, 22))
    pen.limb(
        [(x + turn - head * 0.1, y + head * 0.27), (x + turn + head * 0.1, y + head * 0.27)],
        head * 0.05,
        (150, 60, 56),
    )
    if person.glasses == "yes":
        _draw_glasses(pen, eyes, head)
    if person.headwear == "hat":
        _draw_hat(pen, (x, y), head)
    elif person.headwear == "helmet":
        _draw_helmet(pen, (x, y), head)


def _draw_glasses(pen: _Pen, eyes: Sequence[Point], head: float) -> None:
    dark = shade((24, 24, 30), pen.rng, 14)
    sunny = pen.rng.random() < 0.5
    for x, y in eyes:
        if sunny:
            pen.oval((x, y), (head * 0.17, head * 0.145), dark)
        else:
            pen.oval((x, y), (head * 0.17, head * 0.15), (206, 226, 238))
            pen.oval((x, y), (head * 0.05, head * 0.055), (30, 24, 22))
            pen.ring((x, y), (head * 0.175, head * 0.16), head * 0.06, dark)
    pen.limb([eyes[0], eyes[1]], head * 0.05, dark)
    pen.limb(
        [(eyes[0][0] - head * 0.24, eyes[0][1]), (eyes[1][0] + head * 0.24, eyes[1][1])],
        head * 0.045,
        dark,
    )


def _draw_hat(pen: _Pen, face: Point, head: float) -> None:
    """Draw a brimmed hat, a cap or a knitted hat."""
    x, y = face
    color = _choose(HATS, pen.rng)
    kind = int(pen.rng.integers(3))
    band = y - head * 0.2
    if kind == 0:
        pen.shape(
            [
                (x - head * 0.4, band),
                (x - head * 0.33, y - head * 0.62),
                (x + head * 0.33, y - head * 0.62),
                (x + head * 0.4, band),
            ],
            color,
        )
        pen.oval((x, band), (head * 0.72, head * 0.085), color)
    elif kind == 1:
        pen.dome((x, band), (head * 0.48, head * 0.42), color)
        pen.shape(
            [
                (x, band - head * 0.08),
                (x + head * 0.85, band - head * 0.02),
                (x + head * 0.85, band + head * 0.06),
                (x, band + head * 0.06),
            ],
            color,
        )
    else:
        pen.dome((x, band + head * 0.04), (head * 0.48, head * 0.5), color)
        pen.limb(
            [(x - head * 0.44, band), (x + head * 0.44, band)],
            head * 0.15,
            shade(color, pen.rng, 50),
        )
        pen.oval((x, y - head * 0.66), (head * 0.13, head * 0.12), shade(color, pen.rng, 60))


def _draw_helmet(pen: _Pen, face: Point, head: float) -> None:
    """Draw a hard hat with ridge and rim; its lamp is on at night."""
    x, y = face
    color = _choose(HELMETS, pen.rng)
    dark = (int(color[0] * 0.7), int(color[1] * 0.7), int(color[2] * 0.7))
    rim = y - head * 0.14
    pen.dome((x, rim), (head * 0.56, head * 0.58), color)
    pen.limb([(x, rim - head * 0.56), (x, rim - head * 0.1)], head * 0.1, dark)
    pen.limb([(x - head * 0.56, rim), (x + head * 0.66, rim)], head * 0.09, dark)
    pen.limb([(x - head * 0.42, rim), (x - head * 0.2, y + head * 0.5)], head * 0.04, (40, 40, 44))
    pen.limb([(x + head * 0.42, rim), (x + head * 0.2, y + head * 0.5)], head * 0.04, (40, 40, 44))
    lamp = (x + head * 0.1, rim - head * 0.2)
    pen.oval(lamp, (head * 0.12, head * 0.12), (236, 236, 220))
    pen.shine(lamp, head * pen.rng.uniform(0.42, 0.6), (255, 250, 214))
