"""Raw measures of an image: sharpness, brightness, contrast."""

import math

import numpy as np
from PIL import Image

MEASURES = ("sharpness", "brightness", "contrast")
MEASURE_VERSION = "luma192-1"
MEASURE_SIDE = 192  # pixels of the longer side at which the measures are taken


def measure_image(image: Image.Image) -> dict[str, float]:
    """Return the raw measures of an RGB image, taken on its luma at a fixed scale.

    The longer side is brought to MEASURE_SIDE pixels first, so that values of small and large
    images compare. sharpness: variance of the 4-neighbor Laplacian of 0..255 luma (Pech-Pacheco
    et al. 2000, "Diatom autofocusing in brightfield microscopy"); brightness and contrast: mean
    and standard deviation of luma, 0..1.
    """
    scale = MEASURE_SIDE / max(image.size)
    # Three pixels are the least that has a Laplacian.
    size = (max(3, round(image.width * scale)), max(3, round(image.height * scale)))
    luma = image.convert("L").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    gray = np.asarray(luma).astype(np.int16)  # (h, w)
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    laplacian -= 4 * gray[1:-1, 1:-1]
    histogram = np.array(luma.histogram(), dtype=np.float64)  # (256,)
    levels = np.arange(256) / 255
    brightness = float(histogram @ levels / gray.size)
    contrast = math.sqrt(float(histogram @ (levels - brightness) ** 2 / gray.size))
    sharpness = float(laplacian.astype(np.float32).var())
    return {"sharpness": sharpness, "brightness": brightness, "contrast": contrast}
