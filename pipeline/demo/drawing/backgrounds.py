"""Draws the empty places: a street with houses, a platform with a train."""

import numpy as np
from PIL import Image, ImageDraw

from pipeline.demo.drawing.pen import Color, shade
from pipeline.demo.scene_truth import HEIGHT, HORIZON, WIDTH, Conditions


def draw_background(
    conditions: Conditions, rng: np.random.Generator
) -> tuple[Image.Image, Image.Image]:
    """Draw the empty place; return its RGB pixels and its light at night (RGB)."""
    picture = Image.new("RGB", (WIDTH * 2, HEIGHT * 2), _sky(conditions, rng))
    light = Image.new("RGB", (WIDTH, HEIGHT))
    pen, glow = ImageDraw.Draw(picture), ImageDraw.Draw(light)
    horizon = int(2 * (HORIZON + rng.uniform(-6, 4)))
    if conditions.place == "street":
        _draw_houses(pen, glow, horizon, rng)
        _draw_road(pen, horizon, rng)
    else:
        _draw_hall(pen, glow, horizon, rng)
        _draw_platform(pen, horizon, rng)
    return picture.reduce(2), light


def _sky(conditions: Conditions, rng: np.random.Generator) -> Color:
    gray = conditions.weather != "clear"
    return shade((168, 174, 180) if gray else (140, 190, 232), rng, 14)


def _draw_houses(
    pen: ImageDraw.ImageDraw, glow: ImageDraw.ImageDraw, horizon: int, rng: np.random.Generator
) -> None:
    x = -int(rng.integers(0, 60))
    while x < WIDTH * 2:
        width, top = int(rng.integers(70, 170)), int(rng.integers(6, 100))
        wall = shade((158, 138, 124), rng, 60)
        pen.rectangle((x, top, x + width, horizon), fill=wall)
        pane = shade((104, 128, 148), rng, 26)
        for wx in range(x + 12, x + width - 22, 34):
            for wy in range(top + 14, horizon - 20, 38):
                pen.rectangle((wx, wy, wx + 16, wy + 22), fill=pane)
                if rng.random() < 0.3:
                    glow.rectangle(
                        (wx // 2, wy // 2, wx // 2 + 8, wy // 2 + 11), fill=(150, 128, 70)
                    )
        x += width + int(rng.integers(0, 16))


def _draw_road(pen: ImageDraw.ImageDraw, horizon: int, rng: np.random.Generator) -> None:
    width, height = WIDTH * 2, HEIGHT * 2
    edge = horizon + int(rng.integers(30, 70))
    pen.rectangle((0, horizon, width, edge), fill=shade((150, 148, 142), rng, 24))
    pen.rectangle((0, edge, width, height), fill=shade((98, 98, 102), rng, 24))
    pen.line((0, edge, width, edge), fill=(186, 184, 178), width=5)
    row = edge + int(rng.integers(40, 110))
    for x in range(int(rng.integers(0, 80)), width, 110):
        pen.rectangle((x, row, x + 56, row + 7), fill=(206, 206, 200))


def _draw_hall(
    pen: ImageDraw.ImageDraw, glow: ImageDraw.ImageDraw, horizon: int, rng: np.random.Generator
) -> None:
    width = WIDTH * 2
    pen.rectangle((0, 0, width, int(rng.integers(16, 40))), fill=shade((92, 96, 100), rng, 24))
    train = shade(((196, 44, 44), (52, 92, 160), (214, 214, 210))[int(rng.integers(3))], rng, 30)
    top = horizon - int(rng.integers(76, 104))
    pen.rectangle((0, top, width, horizon), fill=train)
    pen.rectangle((0, horizon - 16, width, horizon), fill=(66, 66, 70))
    pane = shade((86, 104, 118), rng, 20)
    for x in range(int(rng.integers(0, 60)), width, 88):
        pen.rectangle((x, top + 12, x + 58, top + 46), fill=pane)
        if rng.random() < 0.5:
            box = (x // 2, top // 2 + 6, x // 2 + 29, top // 2 + 23)
            glow.rectangle(box, fill=(140, 134, 100))


def _draw_platform(pen: ImageDraw.ImageDraw, horizon: int, rng: np.random.Generator) -> None:
    width, height = WIDTH * 2, HEIGHT * 2
    pen.rectangle((0, horizon, width, height), fill=shade((172, 166, 158), rng, 24))
    stripe = horizon + int(rng.integers(10, 24))
    pen.rectangle((0, stripe, width, stripe + 9), fill=shade((236, 206, 60), rng, 16))
    line = shade((150, 144, 138), rng, 10)
    row = float(stripe + 24)
    while row < height:
        pen.line((0, row, width, row), fill=line, width=2)
        row += (row - horizon) * 0.35 + 8
