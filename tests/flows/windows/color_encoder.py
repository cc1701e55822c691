"""A stand-in for an encoder: the vector of a picture is its mean color, that of a word its color.

A window on a red square is nearest to "red" where it covers nothing but the square.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import EncoderCard

COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class ColorEncoder:
    """Encodes by color, and counts the pictures that it has seen."""

    encoder_id = "colors"
    logit_scale = 20.0
    dim = 3
    in_workers = True
    card = EncoderCard("local-dir:colors||fp32", None, "colors", 3, 20.0)

    def __init__(self) -> None:
        self.seen = 0

    def prepare(self, image: Image.Image) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = np.asarray(image).mean(axis=(0, 1)).astype(np.float32)
        return mean + 1

    def encode_pixels(self, pixels: NDArray[np.float32], *, batch_size: int) -> NDArray[np.float32]:
        assert batch_size
        self.seen += len(pixels)
        unit: NDArray[np.float32] = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
        return unit

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        return self.encode_pixels(np.stack([self.prepare(one) for one in images]), batch_size=99)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the color that a text names; blue where it names none."""
        named = [next((name for name in COLORS if name in text), "blue") for text in texts]
        made = np.array([COLORS[name] for name in named], dtype=np.float32)
        unit: NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
        return unit


def load_colors(config: EncoderConfig) -> ColorEncoder:
    assert config.model
    return ColorEncoder()
