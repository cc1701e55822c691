"""A linear map written into the last layer of an image tower, as open_clip keeps it."""

import shutil
from pathlib import Path

import numpy as np

from pipeline.arrays import Array
from pipeline.exceptions import EncoderError

_WEIGHTS = "open_clip_model.safetensors"
_CONFIG = "open_clip_config.json"
# The last layer by the class of the tower; in some it is kept transposed.
_PLAIN = ("visual.proj",)  # (width, d): vectors = x @ proj
_LINEAR = ("visual.attnpool.c_proj", "visual.head.proj")  # weight (d, width), with a bias or none


def write_turned(source: Path, target: Path, matrix: Array, *, card: str) -> None:
    """Copy an open_clip local-dir, so that its image vectors are multiplied by a matrix.

    source: with open_clip_config.json and open_clip_model.safetensors. target: an empty folder.
    matrix: (d, d): new = old @ matrix. card: the text of README.md. Raises EncoderError where the
    weights are not there or end in no layer that is known.
    """
    from safetensors.numpy import load_file, save_file

    if not (source / _WEIGHTS).is_file() or not (source / _CONFIG).is_file():
        raise EncoderError(
            f"{source}: expected {_CONFIG} and {_WEIGHTS}; save the model as an open_clip local-dir"
        )
    weights = load_file(source / _WEIGHTS)
    changed = turn_weights(weights, matrix)
    for path in source.iterdir():
        if path.is_file() and path.name not in (_WEIGHTS, "README.md"):
            shutil.copyfile(path, target / path.name)
    save_file({name: np.ascontiguousarray(one) for name, one in changed.items()}, target / _WEIGHTS)
    (target / "README.md").write_text(card, encoding="utf-8")


def turn_weights(weights: dict[str, Array], matrix: Array) -> dict[str, Array]:
    """Return weights of a model whose image vectors are multiplied by a (d, d) matrix.

    They become float32: in half precision a small step would be rounded away.
    """
    exact = matrix.astype(np.float64)
    changed = dict(weights)
    for name in _PLAIN:
        if name in weights:
            changed[name] = (weights[name].astype(np.float64) @ exact).astype(np.float32)
            return changed
    for name in _LINEAR:
        if f"{name}.weight" in weights:
            own = weights[f"{name}.weight"].astype(np.float64)
            changed[f"{name}.weight"] = (exact.T @ own).astype(np.float32)
            if f"{name}.bias" in weights:
                bias = weights[f"{name}.bias"].astype(np.float64) @ exact
                changed[f"{name}.bias"] = bias.astype(np.float32)
            return changed
    known = ", ".join((*_PLAIN, *(f"{name}.weight" for name in _LINEAR)))
    raise EncoderError(f"the image tower ends in no layer that is known: expected one of {known}")
