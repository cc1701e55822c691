"""Draws props: cones, trees and signs, and what hides people: walls, bushes, pillars, shelters."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pipeline.demo.drawing.pen import SUPERSAMPLE, Color, shade


@dataclass(frozen=True)
class Prop:
    """An object of the scene: RGBA pixels, its own light at night, left and bottom in pixels."""

    image: Image.Image
    light: Image.Image
    left: float
    floor: float
    scale: float  # height of a standing adult at the same distance


def draw_prop(rng: np.random.Generator, *, x: float, floor: float, scale: float) -> Prop:
    """Draw a cone, bollard, bin, sign, lamp, tree, barrier or machine."""
    kinds = (_cone, _bollard, _bin, _sign, _lamp, _tree, _barrier, _machine)
    draw = kinds[int(rng.integers(len(kinds)))]
    return _on_patch(draw, rng, scale, x, floor)


def draw_cover(
    rng: np.random.Generator, *, middle: float, width: float, floor: float, scale: float
) -> Prop:
    """Draw what hides part of a figure of that middle, width, foot and height, all in pixels."""
    kind = int(rng.integers(4))
    if kind == 3:
        side = rng.choice([-1.0, 1.0])
        middle += float(side * width * rng.uniform(0.22, 0.34))
        return _on_patch(_pillar, rng, scale, middle, floor, width=width)
    draw = (_wall, _bush, _suitcases)[kind]
    middle += float(rng.uniform(-0.08, 0.08) * width)
    return _on_patch(draw, rng, scale, middle, floor, width=width)


def draw_shelter(
    rng: np.random.Generator, *, middle: float, width: float, floor: float, scale: float
) -> Prop:
    """Draw the glass and frame of a shelter around a seated figure, in pixels."""
    return _on_patch(_shelter, rng, scale, middle, floor, width=width)


@dataclass(frozen=True)
class _Patch:
    draw: ImageDraw.ImageDraw
    glow: ImageDraw.ImageDraw
    unit: float
    width: float  # in units
    rng: np.random.Generator

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill a rectangle; x from the middle, y up from the floor, in heights of an adult."""
        self.draw.rectangle(self.at(left, top, right, bottom), fill=color)

    def oval(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.draw.ellipse(self.at(left, top, right, bottom), fill=color)

    def shape(self, points: list[tuple[float, float]], color: Color) -> None:
        self.draw.polygon([self.at(x, y, x, y)[:2] for x, y in points], fill=color)

    def shine(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.glow.ellipse(self.at(left, top, right, bottom), fill=color)

    def shine_box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.glow.rectangle(self.at(left, top, right, bottom), fill=color)

    def at(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[float, float, float, float]:
        width, height = self.draw.im.size
        middle = width / 2
        return (
            middle + left * self.unit,
            height - top * self.unit,
            max(middle + right * self.unit, middle + left * self.unit + 1),
            max(height - bottom * self.unit, height - top * self.unit + 1),
        )


def _on_patch(
    draw: Callable[[_Patch], None],
    rng: np.random.Generator,
    scale: float,
    middle: float,
    floor: float,
    *,
    width: float = 0.0,
) -> Prop:
    unit = scale * SUPERSAMPLE
    size = (round(unit * 1.5) // 3 * 3 + 3, round(unit * 1.5) // 3 * 3 + 3)
    image, light = Image.new("RGBA", size), Image.new("RGB", size)
    patch = _Patch(ImageDraw.Draw(image), ImageDraw.Draw(light), unit, width / scale, rng)
    draw(patch)
    small, glow = image.reduce(SUPERSAMPLE), light.reduce(SUPERSAMPLE)
    return Prop(small, glow, middle - small.width / 2, floor, scale)


def _cone(patch: _Patch) -> None:
    height = patch.rng.uniform(0.35, 0.6)
    color = shade((250, 110, 20), patch.rng)
    patch.shape([(-0.04, height), (0.04, height), (0.13, 0.03), (-0.13, 0.03)], color)
    patch.box(-0.17, 0.04, 0.17, 0.0, color)
    for low in (0.35, 0.65):
        half = 0.13 - 0.09 * low
        patch.box(-half, height * low + 0.06, half, height * low, (230, 230, 226))
        patch.shine_box(-half, height * low + 0.06, half, height * low, (235, 235, 215))


def _bollard(patch: _Patch) -> None:
    height = patch.rng.uniform(0.45, 0.7)
    color = shade((70, 74, 82), patch.rng, 60)
    patch.box(-0.06, height, 0.06, 0.0, color)
    patch.oval(-0.085, height + 0.13, 0.085, height - 0.03, shade(color, patch.rng, 40))
    patch.box(-0.06, height * 0.75, 0.06, height * 0.6, (230, 230, 226))


def _bin(patch: _Patch) -> None:
    color = shade((50, 90, 70), patch.rng, 80)
    height = patch.rng.uniform(0.4, 0.62)
    patch.shape([(-0.17, height), (0.17, height), (0.13, 0.0), (-0.13, 0.0)], color)
    patch.oval(-0.18, height + 0.07, 0.18, height - 0.05, shade((60, 60, 64), patch.rng))


def _sign(patch: _Patch) -> None:
    height = patch.rng.uniform(0.85, 1.2)
    patch.box(-0.02, height, 0.02, 0.0, (120, 122, 126))
    color = shade(
        ((200, 30, 36), (40, 80, 180), (240, 200, 40))[int(patch.rng.integers(3))], patch.rng
    )
    patch.oval(-0.14, height + 0.14, 0.14, height - 0.14, color)
    patch.box(-0.08, height + 0.03, 0.08, height - 0.03, (240, 240, 240))
    patch.shine(-0.14, height + 0.14, 0.14, height - 0.14, (90, 90, 84))


def _lamp(patch: _Patch) -> None:
    height = patch.rng.uniform(1.0, 1.35)
    patch.box(-0.022, height, 0.022, 0.0, (66, 66, 70))
    patch.oval(-0.09, height + 0.1, 0.09, height - 0.06, (226, 222, 190))
    patch.shine(-0.11, height + 0.12, 0.11, height - 0.08, (255, 240, 190))


def _tree(patch: _Patch) -> None:
    patch.box(-0.05, 0.8, 0.05, 0.0, shade((96, 70, 48), patch.rng))
    color = shade((56, 112, 52), patch.rng, 50)
    for _ in range(5):
        x, y = patch.rng.uniform(-0.16, 0.16), patch.rng.uniform(0.75, 1.15)
        patch.oval(x - 0.2, y + 0.18, x + 0.2, y - 0.18, shade(color, patch.rng))


def _barrier(patch: _Patch) -> None:
    for x in (-0.38, 0.38):
        patch.box(x - 0.03, 0.55, x + 0.03, 0.0, (110, 110, 112))
    patch.box(-0.48, 0.6, 0.48, 0.4, (236, 236, 232))
    for x in np.arange(-0.48, 0.4, 0.24):
        patch.shape([(x, 0.4), (x + 0.1, 0.4), (x + 0.16, 0.6), (x + 0.06, 0.6)], (222, 40, 36))
    patch.shine_box(-0.48, 0.6, 0.48, 0.4, (150, 120, 116))
    if patch.rng.random() < 0.6:
        patch.oval(-0.43, 0.72, -0.33, 0.6, (250, 180, 40))
        patch.shine(-0.46, 0.75, -0.3, 0.57, (255, 190, 70))


def _machine(patch: _Patch) -> None:
    """A ticket machine or letter box, as tall as a person."""
    height = patch.rng.uniform(0.75, 1.0)
    color = shade(
        ((40, 70, 150), (190, 40, 40), (90, 96, 104))[int(patch.rng.integers(3))], patch.rng, 30
    )
    patch.box(-0.18, height, 0.18, 0.0, color)
    patch.box(-0.12, height - 0.08, 0.12, height - 0.3, (196, 214, 222))
    patch.shine_box(-0.12, height - 0.08, 0.12, height - 0.3, (110, 130, 140))


def _wall(patch: _Patch) -> None:
    half, height = patch.width * 0.62, patch.rng.uniform(0.3, 0.42)
    color = shade((150, 120, 104), patch.rng, 50)
    patch.box(-half, height, half, 0.0, color)
    for row in np.arange(0.0, height, 0.07):
        patch.box(-half, row + 0.008, half, row, shade((112, 92, 84), patch.rng, 10))


def _bush(patch: _Patch) -> None:
    half, height = patch.width * 0.55, patch.rng.uniform(0.32, 0.46)
    color = shade((52, 104, 50), patch.rng, 40)
    for x in np.linspace(-half, half, 5):
        patch.oval(
            x - 0.13,
            height + patch.rng.uniform(-0.04, 0.03),
            x + 0.13,
            0.0,
            shade(color, patch.rng),
        )


def _suitcases(patch: _Patch) -> None:
    half, height = patch.width * 0.5, patch.rng.uniform(0.3, 0.42)
    split = patch.rng.uniform(-0.3, 0.3) * half
    for left, right in ((-half, split - 0.01), (split + 0.01, half)):
        color = shade((90, 60, 90), patch.rng, 110)
        patch.box(left, height * patch.rng.uniform(0.85, 1.0), right, 0.02, color)
        patch.box(left + 0.02, 0.2, right - 0.02, 0.18, shade(color, patch.rng, 60))


def _shelter(patch: _Patch) -> None:
    """Tinted panes in a frame, with posters stuck on them: who sits behind shows through."""
    half = patch.width * 0.72
    tint = shade((120, 150, 160), patch.rng, 40)
    patch.draw.rectangle(patch.at(-half, 1.16, half, 0.04), fill=(*tint, 118))
    frame = shade((70, 74, 80), patch.rng, 40)
    for x in np.linspace(-half, half, int(patch.rng.integers(3, 5))):
        patch.box(x - 0.022, 1.18, x + 0.022, 0.0, frame)
    patch.box(-half - 0.06, 1.26, half + 0.06, 1.16, frame)
    patch.box(-half, 0.3, half, 0.26, frame)
    for row in (0.72, 0.5):
        patch.box(-half, row, half, row - 0.035, (236, 236, 232))


def _pillar(patch: _Patch) -> None:
    half = patch.width * 0.24
    color = shade((156, 156, 158), patch.rng, 50)
    patch.box(-half, 1.45, half, 0.0, color)
    patch.box(-half, 1.45, -half * 0.5, 0.0, shade(color, patch.rng, 40))
