"""Detectors of the transformers library that were saved to a folder; nothing is downloaded."""

import importlib
import threading
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from pipeline.detectors.detector import Detection, sort_detections
from pipeline.exceptions import ConfigError
from pipeline.files.model_id import make_model_id
from pipeline.images.decode import ImageRejectedError

MIN_SCORE = 0.3  # what lies below is mostly noise and would fill the workspace
_WEIGHTS = (".safetensors", ".bin")


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
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"detector {name}: there is no {folder / 'config.json'}; name the folder that "
            "save_pretrained wrote, models are never downloaded"
        )
    try:
        # By name: transformers is large, and open_clip takes seconds longer where it is installed.
        transformers = importlib.import_module("transformers")
    except ImportError as error:
        raise ConfigError(
            f"detector {name} needs transformers, which cannot be imported ({error}); "
            "pip install transformers"
        ) from None
    try:
        model = transformers.AutoModelForObjectDetection.from_pretrained(
            folder, local_files_only=True
        )
        processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).split("\n")[0]
        raise ConfigError(f"detector {name}: it cannot be loaded: {reason}") from None
    files = sorted(
        path for path in folder.iterdir() if path.suffix in (".json", *_WEIGHTS) and path.is_file()
    )
    settings = {"transformers": transformers.__version__, "min_score": MIN_SCORE}
    detector_id = make_model_id("transformers", settings, files)
    return TransformersDetector(name, model, processor, detector_id=detector_id)
