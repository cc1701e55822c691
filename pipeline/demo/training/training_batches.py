"""Batches to train the encoder on: pictures varied a little, and captions of them as tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import open_clip
import torch

from pipeline.demo.training.captions import ATTRIBUTE_VALUES, caption_person, caption_scene
from pipeline.demo.training.training_set import Pictures

CONTEXT = 24  # tokens of a text
CAPTIONS, EACH = 8, 3  # captions written for a picture, and drawn each time it is seen
UNREAD = 0.05  # share of words replaced by one that no caption holds
SPECIAL = 49406  # tokens from here on start and end a text

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Captioned:
    """Pictures with c = CAPTIONS captions each: tokens, and the values that contradict them."""

    pictures: Pictures
    tokens: Tokens  # (n, c, length)
    against: npt.NDArray[np.bool_]  # (n, c, len(ATTRIBUTE_VALUES))


def caption_pictures(pictures: Pictures, *, whole: bool, seed: int) -> Captioned:
    """Write and tokenize the captions of all pictures."""
    rng = np.random.default_rng([seed, int(whole)])
    write = caption_scene if whole else caption_person
    texts, against = [], []
    for bits in pictures.truth:
        values = dict(ATTRIBUTE_VALUES[position] for position in np.flatnonzero(bits))
        captions = [write(rng, values) for _ in range(CAPTIONS)]
        texts += [caption.text for caption in captions]
        against += [caption.against for caption in captions]
    tokens = open_clip.SimpleTokenizer(context_length=CONTEXT)(texts).numpy().astype(np.int32)
    shape = (len(pictures.truth), CAPTIONS, -1)
    return Captioned(pictures, tokens.reshape(shape), np.array(against).reshape(shape))


def draw_texts(
    rng: np.random.Generator, part: Captioned, rows: npt.NDArray[np.intp], blank: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens of EACH captions a picture, and which is true of which picture."""
    # Texts cost a tenth of what pictures cost: several captions a picture teach more a second.
    picks = rng.permuted(np.tile(np.arange(CAPTIONS), (len(rows), 1)), axis=1)[:, :EACH]
    tokens = part.tokens[rows[:, None], picks].reshape(len(rows) * EACH, -1)
    against = part.against[rows[:, None], picks].reshape(len(rows) * EACH, -1)
    hidden = (rng.random(tokens.shape) < UNREAD) & (tokens > 0) & (tokens < SPECIAL)
    tokens[hidden] = blank
    truth = part.pictures.truth[rows].astype(np.float32)
    match = (truth @ against.T.astype(np.float32)) == 0  # (size, size * EACH)
    return torch.from_numpy(tokens).long(), torch.from_numpy(match).float()


def draw_pixels(
    rng: np.random.Generator, pictures: Pictures, rows: npt.NDArray[np.intp]
) -> torch.Tensor:
    """Return pictures, some mirrored, all moved and lit a little differently."""
    pixels = pictures.pixels[rows].copy()
    mirrored = rng.random(len(rows)) < 0.5
    pixels[mirrored] = pixels[mirrored, :, ::-1]
    moved = np.roll(pixels, tuple(rng.integers(-3, 4, 2)), axis=(1, 2))
    light = torch.from_numpy(rng.uniform(0.85, 1.15, (len(rows), 1, 1, 1)).astype(np.float32))
    return ((to_tensor(moved) + 1) * light - 1).contiguous(memory_format=torch.channels_last)


def to_tensor(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Return pixels (n, h, w, 3) as the encoder takes them: (n, 3, h, w) of -1..1."""
    tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return tensor.contiguous(memory_format=torch.channels_last)


def find_unread(parts: Sequence[Captioned]) -> npt.NDArray[np.int32]:
    """Return the tokens that no caption holds, in order."""
    read = np.unique(np.concatenate([part.tokens.ravel() for part in parts]))
    return np.setdiff1d(np.arange(1, SPECIAL, dtype=np.int32), read)
