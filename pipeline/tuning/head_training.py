"""A linear map behind an encoder, trained to bring images to the captions that are true of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Array, Floats, Ints

_BATCH = 1024  # images of a step, of each target and of the background
_WORDS = 256  # of the background, in a step
_RATE = 3e-3  # of Adam's steps
_DECAY = (0.9, 0.999)  # of Adam's means


@dataclass(frozen=True)
class Target:
    """Captions of one attribute, and which of them are true of the images.

    captions: (k, d) unit vectors. owners: (k,) the value each is of. classes: (n,) the true value
    of each image, -1 where it is not known.
    """

    captions: Array
    owners: Ints
    classes: Ints


@dataclass(frozen=True)
class TuneSettings:
    """steps: of Adam. keep_weight: of the background beside the target. seed: of the batches."""

    steps: int = 300
    keep_weight: float = 1.0
    seed: int = 0


def train_head(
    vectors: Array,
    targets: Sequence[Target],
    words: Floats,
    *,
    logit_scale: float,
    settings: TuneSettings,
    progress: Callable[[int], None] = lambda _: None,
) -> Floats:
    """Return (d, d) a residual: tuned vectors are those of `turn(vectors, residual)`.

    vectors: (n, d) unit vectors of images. words: (m, d) unit vectors of words, none for tuning
    without a background. The loss of a target is the symmetric contrastive one at the encoder's own
    temperature (Radford et al. 2021, figure 3), in which every caption that is true of an image is
    a match (Yang et al., CVPR 2022). That of the background keeps how the untuned encoder
    shares out some of the words over each image (distillation: Hinton, Vinyals and Dean 2015).
    Batches hold all values of a target alike. progress: called with the steps done since its last
    call. Computed in single precision; the same seed and threads give the same residual.
    """
    rng = np.random.default_rng(settings.seed)
    width = vectors.shape[1]
    residual, mean, square = (np.zeros((width, width), np.float32) for _ in range(3))
    words = words.astype(np.float32)
    targets = [replace(one, captions=one.captions.astype(np.float32)) for one in targets]
    groups = [
        [np.flatnonzero(one.classes == value) for value in np.unique(one.classes[one.classes >= 0])]
        for one in targets
    ]
    for step in range(1, settings.steps + 1):
        slope = np.zeros_like(residual)
        for target, rows in zip(targets, groups, strict=True):
            picked = np.concatenate([rng.choice(one, _BATCH // len(rows)) for one in rows])
            slope += _slope_target(vectors[picked], target, picked, residual, logit_scale)
        if len(words):
            picked = rng.integers(len(vectors), size=_BATCH)
            some = rng.permutation(len(words))[:_WORDS]
            own = _slope_background(vectors[picked], words[some], residual, logit_scale)
            slope += settings.keep_weight * own
        mean = _DECAY[0] * mean + (1 - _DECAY[0]) * slope
        square = _DECAY[1] * square + (1 - _DECAY[1]) * slope**2
        first, second = mean / (1 - _DECAY[0] ** step), square / (1 - _DECAY[1] ** step)
        rate = _RATE * 0.5 * (1 + math.cos(math.pi * step / settings.steps))
        residual = residual - rate * first / (np.sqrt(second) + 1e-8)
        progress(1)
    return residual.astype(np.float64)


def turn(vectors: Array, residual: Floats, *, step: float = 1.0) -> NDArray[np.float32]:
    """Return (n, d) unit vectors after a step of the way: vectors @ (1 + step x residual).

    step: from 0, the untuned encoder, to 1 (interpolated weights: Wortsman et al., CVPR 2022).
    """
    matrix = (np.eye(len(residual)) + step * residual).astype(np.float32)
    turned = vectors.astype(np.float32) @ matrix
    unit: NDArray[np.float32] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return unit


def _slope_target(
    vectors: Array, target: Target, picked: Ints, residual: Array, scale: float
) -> Array:
    rows, lengths, unit = _turn_all(vectors, residual)
    logits = scale * unit @ target.captions.T  # (b, k)
    match = (target.classes[picked][:, None] == target.owners).astype(np.float32)
    by_image = _softmax(logits, 1) - match / np.maximum(match.sum(axis=1, keepdims=True), 1)
    by_text = _softmax(logits, 0) - match / np.maximum(match.sum(axis=0, keepdims=True), 1)
    pull = by_image / len(rows) / 2 + by_text / match.shape[1] / 2
    return _slope(rows, lengths, unit, scale * pull @ target.captions)


def _slope_background(vectors: Array, words: Array, residual: Array, scale: float) -> Array:
    rows, lengths, unit = _turn_all(vectors, residual)
    before = _softmax(scale * rows @ words.T, 1)
    pull = (_softmax(scale * unit @ words.T, 1) - before) / len(rows)
    return _slope(rows, lengths, unit, scale * pull @ words)


def _turn_all(vectors: Array, residual: Array) -> tuple[Array, Array, Array]:
    """Return vectors, and lengths and directions of the turned ones."""
    rows = vectors.astype(np.float32)
    turned = rows + rows @ residual
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    return rows, lengths, turned / lengths


def _slope(rows: Array, lengths: Array, unit: Array, pull: Array) -> Array:
    """Return (d, d) the slope by the residual, of (n, d) slopes by the unit vectors."""
    along = (pull * unit).sum(axis=1, keepdims=True)
    slope: Array = rows.T @ ((pull - along * unit) / lengths)
    return slope


def _softmax(logits: Array, axis: int) -> Array:
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    shares: Array = weights / weights.sum(axis=axis, keepdims=True)
    return shares
