"""Detectors of the transformers library that find what texts name: OWLv2, Grounding DINO, OmDet.

Boxes are made here of what the models give, not by the library's own steps: those of earlier
versions scale OWLv2's boxes by the image where it sees a padded square, and take labels of
Grounding DINO from decoded words, which mixes up phrases that share some.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image

from pipeline.detectors.detector import Detection, sort_detections
from pipeline.detectors.saved_model import load_saved
from pipeline.exceptions import ConfigError
from pipeline.files.model_id import make_model_id
from pipeline.images.decode import ImageRejectedError

MIN_SCORE = 0.1  # their scores are low: OWLv2's are often good from 0.2 on
VERSION = 1  # of how boxes are made
_DOUBLE = 0.5  # IoU
_OWL, _DINO, _OMDET = ("owlvit", "owlv2"), ("grounding-dino", "mm-grounding-dino"), ("omdet-turbo",)
_SQUARE = {"owlv2"}  # pad the image below and to the right to a square; boxes are parts of that

# Of one image: (q, 4) center x, y, width, height as parts of what the model saw; (q, t) scores.
Found = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Phrases:
    """The texts of all categories in one row, and the category of each."""

    texts: tuple[str, ...]
    categories: tuple[str, ...]


class ZeroShotDetector:
    """A model and its processor; one image at a time goes through them, with all texts."""

    def __init__(
        self,
        name: str,
        model: Any,  # noqa: ANN401 - transformers is optional
        processor: Any,  # noqa: ANN401 - transformers is optional
        phrases: Phrases,
        *,
        detector_id: str,
    ) -> None:
        self.name = name
        self.detector_id = detector_id
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.eval().to(self._device)
        self._processor = processor
        self._phrases = phrases
        self._kind = str(model.config.model_type)
        self._lock = threading.Lock()  # memory for one image at a time, whatever the pool

    def detect(self, image: Image.Image) -> list[Detection]:
        """Return the detections in an RGB image with a score of MIN_SCORE or more, best first.

        A box is given the category of its best text; each has one category at most.
        """
        try:
            with self._lock, torch.inference_mode():
                boxes, scores = self._run(image)
        except torch.OutOfMemoryError as error:  # no fault of the image: the next one fails too
            raise ConfigError(
                f"detector {self.name} does not fit into the memory of {self._device} even for one "
                "image; choose a smaller model"
            ) from error
        except (RuntimeError, ValueError) as error:
            raise ImageRejectedError(f"{self.name} cannot process it: {error}") from error
        return read_boxes(
            boxes, scores, self._phrases.categories,
            size=image.size, padded=self._kind in _SQUARE,
        )  # fmt: skip

    def _run(self, image: Image.Image) -> Found:
        texts = list(self._phrases.texts)
        if self._kind in _DINO:
            inputs = self._processor(images=image, text=join_phrases(texts), return_tensors="pt")
            out = self._model(**inputs.to(self._device))
            spans = split_tokens(inputs["input_ids"][0].tolist(), self._processor.tokenizer)
            if len(spans) != len(texts):
                raise ValueError(f"found {len(spans)} texts among its tokens of {len(texts)}")
            scores = out.logits[0].sigmoid().nan_to_num(0.0)  # (q, tokens), padded with -inf
            return out.pred_boxes[0], torch.stack([scores[:, s].amax(1) for s in spans], dim=1)
        inputs = self._processor(
            images=image, text=[texts], return_tensors="pt",
            **({"padding": "max_length"} if self._kind in _OWL else {}),
        ).to(self._device)  # fmt: skip
        out = self._model(**inputs)
        if self._kind in _OWL:
            return out.pred_boxes[0], out.logits[0].sigmoid()
        scores = out.decoder_class_logits[0].sigmoid()[:, : len(texts)]
        return drop_doubles(out.decoder_coord_logits[0], scores)


def read_boxes(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    categories: Sequence[str],
    *,
    size: tuple[int, int],
    padded: bool,
) -> list[Detection]:
    """Return what a model gives for an image as detections, best first.

    boxes: (q, 4) center x, y, width and height as parts of what the model saw. scores: (q, t) of
    texts. categories: (t,) of each text. size: width and height of the image in pixels. padded:
    whether it saw a square, of which the image is the upper left part. Boxes are cut to the image;
    what lies outside it, in the padding, is left out.
    """
    width, height = size
    across, down = (max(size), max(size)) if padded else size
    best, text = scores.float().max(dim=1)
    found = []
    for (x, y, w, h), score, place in zip(
        boxes.float().tolist(), best.tolist(), text.tolist(), strict=True
    ):
        left, right = max(0.0, (x - w / 2) * across), min(float(width), (x + w / 2) * across)
        top, bottom = max(0.0, (y - h / 2) * down), min(float(height), (y + h / 2) * down)
        if score >= MIN_SCORE and right > left and bottom > top:
            box = (left, top, right - left, bottom - top)
            found.append(Detection(categories[place], *box, score))
    return sort_detections(found)


def drop_doubles(boxes: torch.Tensor, scores: torch.Tensor) -> Found:
    """Return boxes and scores without those that overlap a better one of the same text.

    For OmDet-Turbo, which gives several boxes an object; the others give one. boxes, scores: as of
    `read_boxes`. By an IoU of 0.5, as its authors do.
    """
    best, text = scores.max(dim=1)
    corners = torchvision.ops.box_convert(boxes, "cxcywh", "xyxy")
    kept = torchvision.ops.batched_nms(corners, best, text, _DOUBLE)
    return boxes[kept], scores[kept]


def join_phrases(texts: Sequence[str]) -> str:
    """Return the one text that Grounding DINO reads: phrases that end in a full stop."""
    return " ".join(f"{text.replace('.', ' ').lower().strip()}." for text in texts)


def split_tokens(tokens: Sequence[int], tokenizer: Any) -> list[list[int]]:  # noqa: ANN401 - transformers is optional
    """Return the places of the tokens of each phrase of `join_phrases`."""
    stop = tokenizer.convert_tokens_to_ids(".")
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    spans: list[list[int]] = []
    held: list[int] = []
    for place, token in enumerate(tokens):
        if token == stop:
            spans.append(held)
            held = []
        elif token not in special:
            held.append(place)
    return spans


def load_zero_shot(folder: Path, categories: Mapping[str, Sequence[str]]) -> ZeroShotDetector:
    """Return the detector that save_pretrained wrote to `folder`, model and processor.

    categories: the texts of each. Nothing is downloaded. Raises ConfigError when transformers is
    not installed, the folder holds no such detector.
    """
    name = f"zero-shot:{folder}"
    phrases = Phrases(
        tuple(text for texts in categories.values() for text in texts),
        tuple(category for category, texts in categories.items() for _ in texts),
    )
    saved = load_saved(
        folder,
        name=name,
        model="AutoModelForZeroShotObjectDetection",
        processor="AutoProcessor",
        suffixes=(".json", ".txt"),
    )
    if saved.model.config.model_type not in (*_OWL, *_DINO, *_OMDET):
        raise ConfigError(
            f"detector {name}: a model of type {saved.model.config.model_type!r}; known are "
            f"{', '.join((*_OWL, *_DINO, *_OMDET))}"
        )
    settings = {
        "transformers": saved.version, "min_score": MIN_SCORE, "version": VERSION,
        "texts": phrases.texts, "categories": phrases.categories,
    }  # fmt: skip
    detector_id = make_model_id("zero-shot", settings, saved.files)
    return ZeroShotDetector(name, saved.model, saved.processor, phrases, detector_id=detector_id)
