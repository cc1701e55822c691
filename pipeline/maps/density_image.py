"""The picture of a map: gray where samples are, red where a system does worse than its mean."""

import io

import numpy as np
from PIL import Image

from pipeline.arrays import Bytes
from pipeline.maps.density import CELLS, DensityMap

SIDE = 3 * CELLS  # pixels
_PAPER = np.array([250.0, 250.0, 250.0])
_INK = np.array([88.0, 94.0, 102.0])
_RED = np.array([178.0, 24.0, 43.0])
_FADED = 0.4  # least strength of red


def paint_density(found: DensityMap) -> Bytes:
    """Return (SIDE, SIDE, 3) the colors of a map.

    Darkness is the square root of the density, so that sparse parts are seen. Cells that are worse
    are red, the stronger the further their interval is above the mean; others are gray, also where
    nothing is known.
    """
    top = np.quantile(found.density[found.density > 1e-3], 0.995) if found.density.any() else 1.0
    shade = np.sqrt(np.clip(found.density / max(float(top), 1e-9), 0, 1))
    ink = np.broadcast_to(_INK, (*shade.shape, 3)).copy()
    if found.worse.any():
        low = found.low[found.worse]
        strength = _FADED + (1 - _FADED) * (low - low.min()) / max(float(np.ptp(low)), 1e-9)
        ink[found.worse] = _RED * strength[:, None] + _INK * (1 - strength[:, None])
        shade = np.where(found.worse, np.maximum(shade, 0.45), shade)
    colors = _PAPER + (ink - _PAPER) * shade[..., None]
    large = Image.fromarray(colors.round().astype(np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    return np.asarray(large, dtype=np.uint8)


def encode_webp(colors: Bytes, *, quality: int = 80) -> bytes:
    """Return (h, w, 3) colors as WebP: 20 to 60 kB for a map."""
    buffer = io.BytesIO()
    Image.fromarray(colors).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
