"""Another interpolation than the one a model was trained with, for crops of objects."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from PIL import Image

from pipeline.embeddings.batches import Pixels
from pipeline.embeddings.card import Encoder
from pipeline.exceptions import EncoderError

Prepare = Callable[[Image.Image], Pixels]


@runtime_checkable
class Resampling(Protocol):
    """An encoder that can bring images to its size by several interpolations."""

    def prepare_by(self, interpolation: str) -> Prepare:
        """Return `prepare` with nearest, bilinear, bicubic or lanczos interpolation."""


def choose_prepare(encoder: Encoder, interpolation: str) -> Prepare:
    """Return how crops are prepared: as the model was trained, or by another interpolation.

    Raises EncoderError if the encoder has no choice.
    """
    if interpolation == "model":
        return encoder.prepare
    if isinstance(encoder, Resampling):
        return encoder.prepare_by(interpolation)
    raise EncoderError(
        f'dataset.crop.interpolation: this encoder cannot resize by {interpolation!r}; take "model"'
    )


def replace_interpolation(steps: Sequence[Any], interpolation: str) -> list[Any]:
    """Return copies of transforms in which those that resize use another interpolation.

    steps: of torchvision or open_clip; those that resize have an enumeration `interpolation`.
    Raises EncoderError if none does.
    """
    changed = [copy.copy(step) for step in steps]
    resizing = [step for step in changed if hasattr(step, "interpolation")]
    if not resizing:
        raise EncoderError(
            "dataset.crop.interpolation: the preprocessing of this model resizes nothing; "
            'take "model"'
        )
    for step in resizing:
        step.interpolation = type(step.interpolation)(interpolation)
    return changed
