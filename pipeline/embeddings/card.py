"""The interface of an encoder, and the card that a workspace keeps of it, without torch.

A run with nothing new reads the card and never loads the weights.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol, runtime_checkable

from PIL import Image

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.batches import Pixels, VectorArray
from pipeline.exceptions import EncoderError
from pipeline.images.fill_text import identify_filling

_MASKED = "+mask"  # behind the precision; then how text is read and filled
_OPENVINO = "+openvino"  # ends it likewise, after that
_WEIGHT_SUFFIXES = {".safetensors", ".bin", ".pth", ".pt", ".npz"}


class Encoder(Protocol):
    """What the stages need of an image-text model; vectors have unit length."""

    @property
    def card(self) -> "EncoderCard":
        """The card that a workspace keeps of the encoder."""

    @property
    def encoder_id(self) -> str:
        """Hash of architecture, weights, preprocessing and precision."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def logit_scale(self) -> float:
        """Factor on a cosine before the softmax."""

    @property
    def in_workers(self) -> bool:
        """Whether pool workers call encode_pixels themselves (CPU), or one thread for all (GPU)."""

    def prepare(self, image: Image.Image) -> Pixels:
        """Resize and cut an RGB image for the model; thread-safe."""

    def encode_pixels(self, pixels: Pixels, *, batch_size: int) -> VectorArray:
        """Encode stacked results of `prepare`, (n, ...) -> (n, d) float32."""

    def encode_images(self, images: Sequence[Image.Image]) -> VectorArray:
        """Prepare and encode a few RGB images, (n, d) float32."""

    def encode_texts(self, texts: Sequence[str]) -> VectorArray:
        """Encode prompts, (m, d) float32."""


@runtime_checkable
class MapEncoder(Encoder, Protocol):
    """An encoder that also gives the maps which its own pooling makes vectors of."""

    def encode_maps(self, pixels: Pixels) -> VectorArray:
        """Return the last feature maps of stacked results of `prepare`, (n, h, w, c) float32."""


@runtime_checkable
class ContextEncoder(Encoder, Protocol):
    """An encoder that knows which texts are longer than what it reads."""

    def find_fitting(self, texts: Sequence[str]) -> list[bool]:
        """Return whether each text is read to its end."""


@dataclass(frozen=True)
class EncoderCard:
    """The identity of an encoder, and what comparing its vectors with prompts needs.

    logit_scale: factor on the cosine of an image and a prompt before the softmax; logit_bias: what
    sigmoid-trained models add, 0 for others.
    """

    spec_key: str
    stamp: tuple[int, ...] | None  # of the weights, see weights_stamp
    encoder_id: str
    dim: int
    logit_scale: float
    logit_bias: float = 0.0

    def to_json(self) -> str:
        """Return the card as one JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, *, source: str = "encoder.json") -> "EncoderCard":
        """Read a card. Raises EncoderError naming `source` if it is none."""
        try:
            raw = json.loads(text)
            stamp = raw["stamp"]
            numbers = None if stamp is None else tuple(int(number) for number in stamp)
            values = {field.name: raw[field.name] for field in fields(cls)} | {"stamp": numbers}
            return cls(**values)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise EncoderError(
                f"{source}: found no encoder card ({error!r}); expected the fields "
                f"{', '.join(field.name for field in fields(cls))}; remove the file and run again"
            ) from error


def spec_key(config: EncoderConfig) -> str:
    """Return what the user asked for as one line: model, weights, precision, mask, runtime."""
    precision = config.precision + (_MASKED + identify_filling() if config.text == "mask" else "")
    precision += _OPENVINO if config.runtime == "openvino" else ""  # so that known keys stay
    return "|".join([config.model, config.pretrained or "", precision])


def read_spec_key(key: str) -> dict[str, str | None]:
    """Return the settings of [encoder] that `spec_key` wrote as one line."""
    model, pretrained, precision = (*key.rsplit("|", 2), "", "")[:3]
    runtime = "openvino" if precision.endswith(_OPENVINO) else "torch"
    precision = precision.removesuffix(_OPENVINO)
    precision, masked, _ = precision.partition(_MASKED)
    return {
        "model": model,
        "pretrained": pretrained or None,
        "precision": precision,
        "text": "mask" if masked else "keep",
        "runtime": runtime,
    }


def name_masked(encoder_id: str) -> str:
    """Return the id of an encoder that gets pictures with their text filled."""
    return f"mask{identify_filling()}-{encoder_id}"


def weights_stamp(config: EncoderConfig) -> tuple[int, ...] | None:
    """Return size in bytes, latest mtime and ctime in nanoseconds, and inodes of local weights.

    Their config counts too. Weights can be replaced with size and mtime kept, but not with ctime.

    None if they are not plain files here: a hub's weights do not change under one name, and
    weights that are gone cannot be compared. Nothing is opened.
    """
    if config.model.startswith("local-dir:"):
        folder = Path(config.model.removeprefix("local-dir:"))
        files = [*folder.glob("*.json"), *folder.glob("*.txt")]
        weights = [path for path in folder.glob("*") if path.suffix in _WEIGHT_SUFFIXES]
    else:
        files = []
        weights = [Path(config.pretrained)] if config.pretrained else []
    try:
        stats = [path.stat() for path in [*files, *weights]] if weights else []
    except OSError:
        return None
    if not stats:
        return None
    return (
        sum(stat.st_size for stat in stats),
        max(stat.st_mtime_ns for stat in stats),
        max(stat.st_ctime_ns for stat in stats),
        sum(stat.st_ino for stat in stats),
    )
