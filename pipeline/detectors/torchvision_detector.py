"""torchvision's detectors, where their weights are at hand; nothing is downloaded."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image
from torchvision.models import get_model, get_model_weights, list_models

from pipeline.detectors.detector import Detection, sort_detections
from pipeline.exceptions import ConfigError
from pipeline.files.model_id import make_model_id
from pipeline.files.toml_file import nearest
from pipeline.images.decode import ImageRejectedError

MIN_SCORE = 0.3  # what lies below is mostly noise and would fill the workspace


class TorchvisionDetector:
    """A model that gives boxes, labels and scores; one image at a time goes through it."""

    def __init__(
        self, name: str, model: torch.nn.Module, categories: Sequence[str], *, detector_id: str
    ) -> None:
        self.name = name
        self.detector_id = detector_id
        self._categories = categories
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.eval().to(self._device)
        self._lock = threading.Lock()  # memory for one image at a time, whatever the pool

    def detect(self, image: Image.Image) -> list[Detection]:
        """Return the detections in an RGB image with a score of MIN_SCORE or more, best first."""
        pixels = torchvision.transforms.functional.pil_to_tensor(image) / 255  # (3, h, w)
        try:
            with self._lock, torch.inference_mode():
                out = self._model([pixels.to(self._device)])[0]
        except torch.OutOfMemoryError as error:  # no fault of the image: the next one fails too
            raise ConfigError(
                f"detector {self.name} does not fit into the memory of {self._device} even for one "
                "image; choose a smaller model"
            ) from error
        except (RuntimeError, ValueError, AssertionError) as error:
            raise ImageRejectedError(f"{self.name} cannot process it: {error}") from error
        boxes = torchvision.ops.box_convert(out["boxes"], "xyxy", "xywh").tolist()
        found = zip(out["labels"].tolist(), boxes, out["scores"].tolist(), strict=True)
        return sort_detections(
            [
                Detection(self._categories[label], x, y, w, h, score)
                for label, (x, y, w, h), score in found
                if score >= MIN_SCORE
            ]
        )


def load_torchvision(model_name: str, weights: Path | None = None) -> TorchvisionDetector:
    """Return a detector of torchvision with weights that are on this machine.

    weights: a state dict as torch.save writes it; by default the COCO weights in torch's hub
    cache. The names of its classes, that of the background first, are read from a file of the
    same name that ends in .txt, one a line; without it they are COCO's. Raises ConfigError for an
    unknown model and for weights that are not there or do not fit.
    """
    known = list_models(module=torchvision.models.detection)
    if model_name not in known:
        raise ConfigError(
            f"detector torchvision:{model_name}: torchvision has no such detector; "
            f"{nearest(model_name, known)}"
        )
    published = get_model_weights(model_name).DEFAULT
    categories = list(published.meta["categories"])
    name = f"torchvision:{model_name}"
    if weights is None:
        weights = Path(torch.hub.get_dir()) / "checkpoints" / Path(published.url).name
    else:
        name = f"{name}:{weights}"
        if weights.with_suffix(".txt").is_file():
            lines = weights.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
            categories = [line.strip() for line in lines if line.strip()]
    if not weights.is_file():
        raise ConfigError(
            f"detector {name}: there is no file {weights}; weights are never downloaded: put "
            f"those of {published.url} there or name a file, torchvision:{model_name}:WEIGHTS.pth"
        )
    model = get_model(model_name, weights=None, weights_backbone=None, num_classes=len(categories))
    model.load_state_dict(_read_weights(weights, model, name))
    settings = {
        "torchvision": torchvision.__version__,
        "min_score": MIN_SCORE,
        "categories": categories,
    }
    detector_id = make_model_id(f"torchvision:{model_name}", settings, [weights])
    return TorchvisionDetector(name, model, categories, detector_id=detector_id)


def _read_weights(path: Path, model: torch.nn.Module, name: str) -> dict[str, Any]:
    """Read a state dict, and say plainly what is wrong with a file that is none of this model."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch raises any kind on a file of another format
        reason = str(error).split("\n")[0]
        raise ConfigError(
            f"detector {name}: {path} holds no weights ({reason}); expected a state dict that "
            "torch.save wrote"
        ) from None
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {
        key: tuple(value.shape)
        for key, value in (state.items() if isinstance(state, dict) else ())
        if isinstance(value, torch.Tensor)
    }
    differing = sorted(
        key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)
    )
    if differing:
        key = differing[0]
        raise ConfigError(
            f"detector {name}: {path} does not fit the model in {len(differing)} places, first "
            f"{key!r}: found {found.get(key, 'nothing')}, expected {expected.get(key, 'nothing')}; "
            f"name the classes, one a line, in {path.with_suffix('.txt').name} beside it"
        )
    return dict(state)
