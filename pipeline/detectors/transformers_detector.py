"""Detectors of the transformers library that were saved to a folder; nothing is downloaded."""

import threading
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from pipeline.detectors.detector import Detection, sort_detections
from pipeline.detectors.saved_model import load_saved
from pipeline.exceptions import ConfigError
from pipeline.files.model_id import make_model_id
from pipeline.images.decode import ImageRejectedError

MIN_SCORE = 0.3  # what lies below is mostly noise and would fill the workspace


class TransformersDetector:
    """A model and its image processor; one image at a time goes through them."""

    def __init__(self, name: str, model: Any, processor: Any, *, detector_id: str) -> None:  # noqa: ANN401 - transformers is optional
        self.name = name
        self.detector_id = detector_id
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.eval().to(self._device)
        self._processor = processor
        self._lock = threading.Lock()  # memory for one image at a time, whatever the pool

    def detect(self, image: Image.Image) -> list[Detection]:
        """Return the detections in an RGB image with a score of MIN_SCORE or more, best first."""
        try:
            with self._lock, torch.inference_mode():
                inputs = self._processor(images=image, return_tensors="pt").to(self._device)
                (out,) = self._processor.post_process_object_detection(
                    self._model(**inputs),
                    threshold=MIN_SCORE,
                    target_sizes=[(image.height, image.width)],
                )
        except torch.OutOfMemoryError as error:  # no fault of the image: the next one fails too
            raise ConfigError(
                f"detector {self.name} does not fit into the memory of {self._device} even for one "
                "image; choose a smaller model"
            ) from error
        except (RuntimeError, ValueError) as error:
            raise ImageRejectedError(f"{self.name} cannot process it: {error}") from error
        names = self._model.config.id2label
        rows = zip(
            out["labels"].tolist(), out["boxes"].tolist(), out["scores"].tolist(), strict=True
        )
        return sort_detections(
            [
                Detection(names[label], left, top, right - left, bottom - top, score)
                for label, (left, top, right, bottom), score in rows
            ]
        )


def load_transformers(folder: Path) -> TransformersDetector:
    """Return the detector that save_pretrained wrote to `folder`, model and image processor.

    Raises ConfigError when transformers is not installed or the folder holds no detector.
    """
    name = f"transformers:{folder}"
    saved = load_saved(
        folder, name=name, model="AutoModelForObjectDetection", processor="AutoImageProcessor"
    )
    settings = {"transformers": saved.version, "min_score": MIN_SCORE}
    detector_id = make_model_id("transformers", settings, saved.files)
    return TransformersDetector(name, saved.model, saved.processor, detector_id=detector_id)
