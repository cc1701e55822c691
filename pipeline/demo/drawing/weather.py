"""What conditions do to pixels: distance in fog, darkness and light, rain, lack of focus, noise."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipeline.demo.scene_truth import HEIGHT, WIDTH, Conditions

FOG = (206, 210, 212)


def fog_share(conditions: Conditions, depth: float, thickness: float) -> float:
    """Return the share of a color that fog takes, 0 to 1: Koschmieder's law, 1 - exp(-kd)."""
    if conditions.weather != "fog":
        return 0.0
    return float(1 - np.exp(-thickness * depth))


def veil(image: Image.Image, share: float) -> Image.Image:
    """Blend the colors of a picture with the fog's, leaving its transparency."""
    if share <= 0:
        return image
    if image.mode == "RGBA":
        veiled = Image.blend(image.convert("RGB"), Image.new("RGB", image.size, FOG), share)
        veiled.putalpha(image.getchannel("A"))
        return veiled
    return Image.blend(image, Image.new(image.mode, image.size, FOG), share)


def darken(image: Image.Image, light: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Turn day into night; `light` (RGB) is what shines of itself, added with a halo."""
    level = rng.uniform(0.3, 0.48)
    tint = np.array([0.86, 0.92, 1.16]) * level
    red, green, blue = (
        channel.point([int(min(255, value * factor)) for value in range(256)])
        for channel, factor in zip(image.split(), tint, strict=True)
    )
    night = Image.merge("RGB", (red, green, blue))
    halo = light.filter(ImageFilter.GaussianBlur(6)).point([int(v * 0.9) for v in range(256)] * 3)
    return ImageChops.add(ImageChops.screen(night, halo), light)


def add_rain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Draw streaks of rain, and the wet ground's gloss."""
    streaks = Image.new("L", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(streaks)
    lean = rng.uniform(-0.35, 0.35)
    for x, y, length in zip(
        rng.uniform(-20, WIDTH + 20, 190),
        rng.uniform(-20, HEIGHT, 190),
        rng.uniform(10, 26, 190),
        strict=True,
    ):
        pen.line((x, y, x + lean * length, y + length), fill=int(rng.integers(90, 170)), width=1)
    dull = Image.blend(image, image.convert("L").convert("RGB"), 0.25)
    return Image.composite(Image.new("RGB", image.size, (226, 232, 240)), dull, streaks)


def defocus(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Blur the image as a lens out of focus does."""
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(1.7, 2.6)))


def add_noise(image: Image.Image, rng: np.random.Generator, *, night: bool) -> Image.Image:
    """Add the sensor's noise, more of it in the dark, and a small change of exposure."""
    pixels: npt.NDArray[np.float32] = np.asarray(image, dtype=np.float32)
    deviation = rng.uniform(3, 6) if night else rng.uniform(1, 4)
    noise = rng.standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32) * deviation
    exposed = (pixels + noise) * np.float32(rng.uniform(0.88, 1.1))
    return Image.fromarray(np.clip(exposed, 0, 255).astype(np.uint8))
