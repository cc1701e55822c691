"""Which detectors there are by name, and what each needs to be installed."""

from pathlib import Path

from pipeline.detectors.detector import Detector
from pipeline.exceptions import ConfigError

KNOWN_DETECTORS = (
    "yunet-faces",
    "hog-people",
    "haar-faces",
    "torchvision:MODEL",
    "torchvision:MODEL:WEIGHTS.pth",
    "transformers:FOLDER",
    "patches",
    "patches:one",
    "zero-shot:FOLDER",
)
_OPENCV = ("yunet-faces", "hog-people", "haar-faces")


def load_detector(name: str) -> Detector:
    """Return the detector of this name; nothing is ever downloaded.

    torchvision:MODEL takes weights from torch's hub cache, torchvision:MODEL:FILE from a file,
    transformers:FOLDER a model saved with save_pretrained. Raises ConfigError for a name that is
    not known and for what is not installed or not at hand.
    """
    kind, _, rest = name.partition(":")
    if name in _OPENCV:
        return _load_opencv(name)
    if kind == "torchvision" and rest:
        from pipeline.detectors.torchvision_detector import load_torchvision

        model, _, weights = rest.partition(":")
        return load_torchvision(model, Path(weights) if weights else None)
    if kind == "transformers" and rest:
        from pipeline.detectors.transformers_detector import load_transformers

        return load_transformers(Path(rest))
    raise ConfigError(f"no detector {name!r}; those known are {', '.join(KNOWN_DETECTORS)}")


def _load_opencv(name: str) -> Detector:
    try:
        from pipeline.detectors import opencv_detectors
    except ImportError as error:
        raise ConfigError(
            f"detector {name!r} needs OpenCV, which cannot be imported ({error}); "
            "pip install 'weakspot[detectors]'"
        ) from None
    make = {
        "yunet-faces": opencv_detectors.make_yunet_faces,
        "hog-people": opencv_detectors.make_hog_people,
        "haar-faces": opencv_detectors.make_haar_faces,
    }
    return make[name]()
