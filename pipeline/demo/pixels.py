"""What the system under test looks at; apart from it, so that drawing needs no torch."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Box = tuple[float, float, float, float]  # x, y, width, height in pixels of the image
Pixels = npt.NDArray[np.uint8]  # (h, w, 3)

SHRINK = 2  # the detector looks at half the resolution


def shrink(image: Image.Image) -> Pixels:
    """Return the pixels that the detector looks at."""
    return np.asarray(image.convert("RGB").reduce(SHRINK), dtype=np.uint8)
