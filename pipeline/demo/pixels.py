"""The input of the system under test; a module of its own, so that drawing imports no torch."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Box = tuple[float, float, float, float]  # x, y, width, height in pixels of the image
Pixels = npt.NDArray[np.uint8]  # (h, w, 3)

SHRINK = 2  # the detector takes half the resolution


def shrink(image: Image.Image) -> Pixels:
    """Return the (h, w, 3) pixels that the detector takes."""
    return np.asarray(image.convert("RGB").reduce(SHRINK), dtype=np.uint8)
