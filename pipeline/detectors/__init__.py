"""Images -> detections: a detector run as a stage, for datasets without true boxes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.detectors.detect import DetectedBlock, detect_block, read_detections
    from pipeline.detectors.detector import Detection, Detector
    from pipeline.detectors.load import KNOWN_DETECTORS, load_detector

_HOMES = {
    "KNOWN_DETECTORS": "load",
    "DetectedBlock": "detect",
    "Detection": "detector",
    "Detector": "detector",
    "detect_block": "detect",
    "load_detector": "load",
    "read_detections": "detect",
}

__all__ = [
    "KNOWN_DETECTORS",
    "DetectedBlock",
    "Detection",
    "Detector",
    "detect_block",
    "load_detector",
    "read_detections",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Import on first use: nothing heavy is loaded by those who run no detector."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
