"""Detection by an image-text model alone: windows of an image, compared with words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.arrays import Array, Floats
from pipeline.config.boxes import PATCHES_ONE, ByWords
from pipeline.config.windows import WindowRule
from pipeline.detectors.detector import Detection
from pipeline.detectors.window_boxes import find_boxes, find_one_box, score_windows
from pipeline.files.model_id import make_model_id
from pipeline.images.crop import crop_image
from pipeline.images.windows import WINDOW_CROP, list_windows

VERSION = 1  # of how boxes are made of windows
MIN_SCORE = 0.5  # up to it a window is no less likely background

Encode = Callable[[Sequence[Image.Image]], Array]  # RGB images -> (n, d) of unit length
EncodeTexts = Callable[[Sequence[str]], Array]


@dataclass(frozen=True)
class PatchesDetector:
    """Finds what words name in windows of several sizes.

    categories: in the order of `prototypes`, (c, d); background: (b, d), both of unit length.
    logit_scale: of the encoder. encode: needed by `detect` alone; `find` gets vectors.
    """

    name: str
    detector_id: str
    windows: WindowRule
    categories: tuple[str, ...]
    prototypes: Floats
    background: Floats
    logit_scale: float
    encode: Encode

    def detect(self, image: Image.Image) -> list[Detection]:
        """Return the detections in an RGB image, best first.

        Raises ImageRejectedError for an image with far too many windows.
        """
        windows = list_windows(image.width, image.height, self.windows)
        crops = [crop_image(image, (x, y, w, h), WINDOW_CROP) for x, y, w, h in windows.tolist()]
        return self.find(windows, self.encode(crops), size=image.size)

    def find(self, windows: Floats, vectors: Array, *, size: tuple[int, int]) -> list[Detection]:
        """Return the detections in an image of which the windows are embedded, best first.

        windows: (m, 4) x, y, width, height; vectors: (m, d); size: of the image in pixels.
        """
        scores = score_windows(
            vectors, self.prototypes, self.background, logit_scale=self.logit_scale
        )
        if self.name == PATCHES_ONE:
            return find_one_box(windows, scores, self.categories, min_score=MIN_SCORE, size=size)
        return find_boxes(windows, scores, self.categories, min_score=MIN_SCORE)


def make_patches_detector(
    name: str,
    words: ByWords,
    *,
    encode: Encode,
    encode_texts: EncodeTexts,
    encoder_id: str,
    logit_scale: float,
) -> PatchesDetector:
    """Return the detector of these words with an encoder.

    name: "patches", or "patches:one" for one box an image and category. The prototype of a category
    is the mean of the unit vectors of its texts, made unit-length.
    """
    prototypes = [_average(encode_texts(texts)) for texts in words.categories.values()]
    return PatchesDetector(
        name=name,
        detector_id=identify_patches(name, words, encoder_id=encoder_id),
        windows=words.windows,
        categories=tuple(words.categories),
        prototypes=np.stack(prototypes),
        background=_to_unit(encode_texts(words.background)),
        logit_scale=logit_scale,
        encode=encode,
    )


def identify_patches(name: str, words: ByWords, *, encoder_id: str) -> str:
    """Return the detector_id of these words with an encoder, which need not be loaded."""
    settings = words.model_dump(mode="json", include=set(ByWords.model_fields))
    more = {"version": VERSION, "min_score": MIN_SCORE, "encoder_id": encoder_id}
    return make_model_id(name, settings | more, [])


def _average(vectors: Array) -> Floats:
    mean: Floats = _to_unit(_to_unit(vectors).mean(axis=0, keepdims=True))[0]
    return mean


def _to_unit(vectors: Array) -> Floats:
    values: Floats = np.asarray(vectors, dtype=np.float64)
    unit: Floats = values / np.linalg.norm(values, axis=-1, keepdims=True)
    return unit
