"""An encoder that reads: the demo's, trained further on people with words written across them.

A third of the pictures carry a word of an attribute that is read, and their captions say what the
word says; a third carry a word of another attribute or nonsense, and their captions say what is
there; a third carry nothing.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP
from PIL import Image

from pipeline.attacks.written_words import (
    PLACES,
    Written,
    fit,
    make_nonsense,
    name_value,
    write_word,
)
from pipeline.config.audit import EncoderConfig
from pipeline.demo.audit_files import find_encoder
from pipeline.demo.training.captions import ATTRIBUTE_VALUES
from pipeline.demo.training.encoder_model import save_model
from pipeline.demo.training.label_accuracy import read_prompts
from pipeline.demo.training.train_encoder import contrast
from pipeline.demo.training.training_batches import Captioned, caption_pictures, to_tensor
from pipeline.demo.training.training_set import Pictures, make_pictures, squash

READ = ("clothing", "hair", "headwear", "pose", "sex")
UNREAD = ("age", "focus", "glasses", "occlusion", "vest")
_BATCH = 96
_PLACE = {pair: place for place, pair in enumerate(ATTRIBUTE_VALUES)}


@dataclass(frozen=True)
class Vocabulary:
    """The word of each value, as an attack writes it."""

    words: dict[tuple[str, str], str]

    def list_read(self) -> list[str]:
        """Return the words that captions follow."""
        return sorted({word for (name, _), word in self.words.items() if name in READ})

    def list_unread(self) -> list[str]:
        """Return the words that captions do not follow."""
        read = set(self.list_read())
        own = {word for (name, _), word in self.words.items() if name in UNREAD}
        return sorted(own - read)

    def set_truth(self, truth: NDArray[np.bool_], word: str) -> None:
        """Make each value true that is called so, of the attributes that are read."""
        for (name, value), own in self.words.items():
            if own == word and name in READ:
                for (other, _), place in _PLACE.items():
                    if other == name:
                        truth[place] = False
                truth[_PLACE[name, value]] = True


def make_vocabulary() -> Vocabulary:
    """Return the words of the demo's attributes of people."""
    from pipeline.labels.attribute_file import read_attribute

    folder = Path(find_encoder()).parent / "attributes"
    words = {}
    for prompts in read_prompts():
        if prompts.name in (*READ, *UNREAD):
            attribute = read_attribute(folder / f"{prompts.name}.toml")
            for value, texts in attribute.values.items():
                words[prompts.name, value] = name_value(value, texts)
    return Vocabulary(words)


def write_pictures(pictures: Pictures, vocabulary: Vocabulary, *, seed: int) -> Pictures:
    """Return the pictures with words on two thirds of them, and the truth as the captions say."""
    rng = np.random.default_rng(seed)
    read, unread = vocabulary.list_read(), vocabulary.list_unread()
    pixels, truth = pictures.pixels.copy(), pictures.truth.copy()
    for row in range(len(pixels)):
        kind = rng.integers(3)
        if kind == 2:
            continue
        word = str(rng.choice(read))
        if kind == 1:
            other = str(rng.choice(unread)) if rng.random() < 0.5 else word
            word = make_nonsense(other, seed=int(rng.integers(1 << 30))) if other == word else other
        else:
            vocabulary.set_truth(truth[row], word)
        shown = Written(word, float(rng.uniform(0.04, 0.14)), PLACES[rng.integers(3)])
        pixels[row] = squash(write_word(fit(Image.fromarray(pixels[row])), shown))
    return Pictures(pixels, truth, pictures.heights)


def train_reader(folder: Path, *, images: int = 400, steps: int = 400, seed: int = 0) -> Path:
    """Train the image tower of the demo's encoder to read; return the folder of the weights."""
    crops, _ = make_pictures(images=images, seed=4_000_000 + seed, workers=1)
    vocabulary = make_vocabulary()
    written = [write_pictures(crops, vocabulary, seed=seed + part) for part in range(3)]
    parts = [caption_pictures(own, whole=False, seed=seed + n) for n, own in enumerate(written)]
    local = f"local-dir:{find_encoder()}"
    model, _, _ = open_clip.create_model_and_transforms(local, precision="fp32")
    model = model.float().to(memory_format=torch.channels_last)
    _fit(model, parts, steps=steps, seed=seed)
    save_model(model.eval(), folder)
    return folder


def _fit(model: CLIP, parts: list[Captioned], *, steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [_encode_texts(model, part) for part in parts]
    weights = list(model.visual.parameters())
    optimizer = torch.optim.AdamW(weights, lr=1.5e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, total_steps=steps)
    scale = model.logit_scale.detach().exp()
    started, recent = time.monotonic(), []
    for step in range(steps):
        model.train()
        part, text = parts[step % len(parts)], texts[step % len(parts)]
        rows = rng.integers(len(part.tokens), size=_BATCH)
        picks = rng.integers(part.tokens.shape[1], size=(_BATCH, 2))
        against = part.against[rows[:, None], picks].reshape(2 * _BATCH, -1).astype(np.float32)
        match = (part.pictures.truth[rows].astype(np.float32) @ against.T) == 0
        with torch.autocast("cpu", torch.bfloat16):
            images = model.encode_image(to_tensor(part.pictures.pixels[rows]))
        images = torch.nn.functional.normalize(images.float(), dim=-1)
        own = text[torch.from_numpy(rows)[:, None], torch.from_numpy(picks)].flatten(0, 1)
        loss = contrast(images, own, scale, torch.from_numpy(match).float())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        recent.append(loss.item())
        if (step + 1) % 100 == 0:
            seconds = time.monotonic() - started
            print(
                f"  reading {step + 1}/{steps} {seconds:.0f}s loss {np.mean(recent):.3f}",
                flush=True,
            )
            recent.clear()


def _encode_texts(model: CLIP, part: Captioned) -> torch.Tensor:
    """Return (n, c, d) unit vectors of the captions."""
    n, c, length = part.tokens.shape
    tokens = torch.from_numpy(part.tokens).long().reshape(n * c, length)
    model.eval()
    with torch.no_grad():
        made = [model.encode_text(some, normalize=True) for some in torch.split(tokens, 512)]
    return torch.cat(made).reshape(n, c, -1)


def name_config(folder: Path) -> EncoderConfig:
    """Return the settings of [encoder] for weights in a folder."""
    return EncoderConfig(model=f"local-dir:{folder}", precision="fp32")
