"""Images drawn in memory."""

import numpy as np
from PIL import Image

RED, WHITE = (255, 0, 0), (255, 255, 255)


def left_red_right_blue(width: int = 40, height: int = 20) -> Image.Image:
    """Draw an image whose halves differ."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2] = RED
    pixels[:, width // 2 :] = (0, 0, 255)
    return Image.fromarray(pixels)


def noise(seed: int = 0, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Draw random pixels."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)
