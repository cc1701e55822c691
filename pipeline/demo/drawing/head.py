"""Draws a figure's head: hair, face, glasses, hat or helmet, and an umbrella over it."""

from collections.abc import Sequence

from pipeline.demo.drawing.pen import Color, Pen, Point, choose, darken, shade
from pipeline.demo.scene_truth import Person

HATS: Sequence[Color] = ((96, 60, 36), (52, 70, 96), (104, 34, 52), (60, 84, 56), (70, 66, 74))
HELMETS: Sequence[Color] = ((250, 250, 246), (250, 212, 30), (246, 122, 24), (60, 140, 226))
UMBRELLAS: Sequence[Color] = (
    (60, 60, 70),
    (120, 34, 50),
    (40, 90, 110),
    (150, 120, 60),
    (90, 60, 120),
)


def draw_long_hair(pen: Pen, face: Point, head: float, hair: Color) -> None:
    """Draw hair down to the shoulders, behind the face; `head` is the height of the head."""
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


def draw_head(
    pen: Pen, person: Person, face: Point, head: float, colors: tuple[Color, Color]
) -> None:
    """Draw the head around `face`, `head` units high, in the colors of skin and hair."""
    (x, y), (skin, hair) = face, colors
    rng = pen.rng
    turn = rng.uniform(-0.06, 0.1) * head
    for side in (-1, 1):
        pen.oval((x + side * head * 0.43, y + head * 0.05), (head * 0.07, head * 0.1), skin)
    pen.oval((x, y), (head * 0.43, head * 0.5), skin)
    bald = person.age == "senior" and person.sex == "man" and rng.random() < 0.3
    if not bald:
        pen.draw.chord(
            pen.box((x, y - head * 0.05), (head * 0.47, head * 0.49)), 185, 355, fill=hair
        )
    for side in (-1, 1):
        pen.limb(
            [(x + side * head * 0.44, y - head * 0.12), (x + side * head * 0.45, y + head * 0.16)],
            head * 0.17,
            hair,
        )
    if person.sex == "man" and person.age != "child" and rng.random() < 0.5:
        pen.draw.chord(pen.box((x, y + head * 0.1), (head * 0.4, head * 0.42)), 20, 160, fill=hair)
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


def _draw_glasses(pen: Pen, eyes: Sequence[Point], head: float) -> None:
    dark = shade((24, 24, 30), pen.rng, 14)
    sunny = pen.rng.random() < 0.5
    for x, y in eyes:
        if sunny:
            pen.oval((x, y), (head * 0.2, head * 0.17), dark)
        else:
            pen.oval((x, y), (head * 0.2, head * 0.18), (206, 226, 238))
            pen.oval((x, y), (head * 0.05, head * 0.055), (30, 24, 22))
            pen.ring((x, y), (head * 0.205, head * 0.19), head * 0.085, dark)
    pen.limb([eyes[0], eyes[1]], head * 0.05, dark)
    pen.limb(
        [(eyes[0][0] - head * 0.24, eyes[0][1]), (eyes[1][0] + head * 0.24, eyes[1][1])],
        head * 0.045,
        dark,
    )


def _draw_hat(pen: Pen, face: Point, head: float) -> None:
    """Draw a brimmed hat, a cap or a knitted hat."""
    x, y = face
    color = choose(HATS, pen.rng)
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


def _draw_helmet(pen: Pen, face: Point, head: float) -> None:
    """Draw a hard hat with ridge and rim; its lamp is on at night."""
    x, y = face
    color = choose(HELMETS, pen.rng)
    dark = darken(color)
    rim = y - head * 0.14
    pen.dome((x, rim), (head * 0.56, head * 0.58), color)
    pen.limb([(x, rim - head * 0.56), (x, rim - head * 0.1)], head * 0.1, dark)
    pen.limb([(x - head * 0.56, rim), (x + head * 0.66, rim)], head * 0.09, dark)
    pen.limb([(x - head * 0.42, rim), (x - head * 0.2, y + head * 0.5)], head * 0.04, (40, 40, 44))
    pen.limb([(x + head * 0.42, rim), (x + head * 0.2, y + head * 0.5)], head * 0.04, (40, 40, 44))
    lamp = (x + head * 0.1, rim - head * 0.2)
    pen.oval(lamp, (head * 0.12, head * 0.12), (236, 236, 220))
    pen.shine(lamp, head * pen.rng.uniform(0.42, 0.6), (255, 250, 214))


def draw_umbrella(pen: Pen, face: Point, head: float, floor: float) -> None:
    """Draw an open umbrella, held low: it hides the top of the head."""
    x = face[0] + pen.rng.uniform(-0.03, 0.03)
    rim, wide = face[1] - head * 0.12, pen.rng.uniform(0.38, 0.44)
    color = choose(UMBRELLAS, pen.rng)
    fold = darken(color)
    pen.limb([(x + 0.1, rim), (x + 0.1, rim + 0.42 * floor)], 0.014, (60, 56, 54))
    pen.dome((x, rim), (wide, 0.27), color)
    for share in (-0.45, 0.0, 0.45):
        pen.limb([(x, rim - 0.26), (x + share * wide, rim - 0.01)], 0.012, fold)
    pen.limb([(x - wide, rim), (x + wide, rim)], 0.014, fold)
