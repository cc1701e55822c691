"""The pen that figures are drawn with: shapes in units of the figure's height, varied colors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

Color = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLE = 3  # figures are drawn this much larger and averaged down


@dataclass(frozen=True)
class Pen:
    """A patch at supersampled scale; one unit is the figure's height, y runs down from its top."""

    draw: ImageDraw.ImageDraw
    light: ImageDraw.ImageDraw
    unit: float
    origin: Point
    rng: np.random.Generator

    def at(self, x: float, y: float) -> Point:
        """Return a point of the figure in pixels of the patch."""
        return (self.origin[0] + x * self.unit, self.origin[1] + y * self.unit)

    def limb(self, points: Sequence[Point], width: float, color: Color) -> None:
        """Draw a line with round ends."""
        path = [self.at(*point) for point in points]
        self.draw.line(path, fill=color, width=max(1, round(width * self.unit)), joint="curve")
        for x, y in points:
            self.oval((x, y), (width / 2, width / 2), color)

    def oval(self, center: Point, radii: Point, color: Color) -> None:
        """Fill an ellipse."""
        self.draw.ellipse(self.box(center, radii), fill=color)

    def dome(self, center: Point, radii: Point, color: Color) -> None:
        """Fill the upper half of an ellipse."""
        self.draw.pieslice(self.box(center, radii), 180, 360, fill=color)

    def shape(self, points: Sequence[Point], color: Color) -> None:
        """Fill a polygon."""
        self.draw.polygon([self.at(*point) for point in points], fill=color)

    def ring(self, center: Point, radii: Point, width: float, color: Color) -> None:
        """Draw the outline of an ellipse."""
        thick = max(1, round(width * self.unit))
        self.draw.ellipse(self.box(center, radii), outline=color, width=thick)

    def shine(self, center: Point, radius: float, color: Color) -> None:
        """Let a disc shine at night."""
        self.light.ellipse(self.box(center, (radius, radius)), fill=color)

    def shine_shape(self, points: Sequence[Point], color: Color) -> None:
        """Let a polygon shine at night."""
        self.light.polygon([self.at(*point) for point in points], fill=color)

    def box(self, center: Point, radii: Point) -> tuple[float, float, float, float]:
        """Return the bounds of an ellipse in pixels of the patch."""
        left, top = self.at(center[0] - radii[0], center[1] - radii[1])
        right, bottom = self.at(center[0] + radii[0], center[1] + radii[1])
        return (left, top, max(right, left + 1), max(bottom, top + 1))


def shade(color: Color, rng: np.random.Generator, spread: float = 18.0) -> Color:
    """Vary a color a little, so that no exact value means anything."""
    shift = rng.normal(0, spread * 0.5) + rng.normal(0, spread * 0.35, 3)
    red, green, blue = (
        int(np.clip(part + move, 0, 255)) for part, move in zip(color, shift, strict=True)
    )
    return (red, green, blue)


def choose(colors: Sequence[Color], rng: np.random.Generator) -> Color:
    """Choose one of the colors and vary it."""
    return shade(colors[int(rng.integers(len(colors)))], rng)


def darken(color: Color) -> Color:
    """Return the color as it looks in shade."""
    red, green, blue = (int(part * 0.7) for part in color)
    return (red, green, blue)
