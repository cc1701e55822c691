"""Train the demo's encoder: `python -m pipeline.demo.training.train_encoder`.

The loss is the symmetric contrastive one, with every caption that is true of an image counted as
its match (UniCL, Yang et al., CVPR 2022, equations 3 to 5): with few values in a world, captions
of other images are often true of this one too.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from open_clip.model import CLIP

from pipeline.demo.training.captions import ATTRIBUTE_VALUES
from pipeline.demo.training.encoder_model import build_model, save_model
from pipeline.demo.training.label_accuracy import measure_label_accuracy, read_prompts
from pipeline.demo.training.training_batches import (
    Captioned,
    caption_pictures,
    draw_pixels,
    draw_texts,
    find_unread,
    to_tensor,
)
from pipeline.demo.training.training_set import Pictures, make_pictures
from pipeline.files.core_count import count_cores

IMAGES, EPOCHS = 8000, 14
BATCH = (128, 24)  # people, whole images
WARM_UP = 600  # steps


def contrast(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, match: torch.Tensor
) -> torch.Tensor:
    """Return the symmetric loss; match (n, m): which texts are true of which images."""
    logits = scale * images @ texts.T
    by_image = match / match.sum(1, keepdim=True).clamp(min=1)
    by_text = match.T / match.T.sum(1, keepdim=True).clamp(min=1)
    image_loss = -(by_image * logits.log_softmax(1)).sum(1).mean()
    text_loss = -(by_text * logits.T.log_softmax(1)).sum(1).mean()
    return (image_loss + text_loss) / 2


def train(
    model: CLIP,
    parts: tuple[Captioned, Captioned],
    *,
    epochs: int,
    seed: int,
    test: tuple[Pictures, Pictures],
    rate: float = 2e-3,
    warm_up: int = WARM_UP,
) -> None:
    """Train in place on people and whole images; print loss and label accuracy on `test`.

    AdamW with a cosine schedule, after a warm-up of the text tower.
    """
    rng = np.random.default_rng(seed)
    steps = epochs * (len(parts[0].tokens) // BATCH[0])
    blank = int(find_unread(parts)[0])  # in place of every word that was never read
    _warm_up(model, parts, steps=warm_up, seed=seed, blank=blank)
    optimizer = _make_optimizer(model, rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / 60, 0.5 * (1 + math.cos(math.pi * step / steps)) + 1e-3),
    )
    started, recent = time.monotonic(), []
    for step in range(steps):
        model.train()
        loss = _loss(model, *_draw_batch(rng, parts, blank))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(60))
        recent.append(loss.item())
        if (step + 1) % 200 == 0 or step + 1 == steps:
            accuracy = " ".join(f"{n}={a:.3f}" for n, a in measure_accuracies(model, test).items())
            seconds = time.monotonic() - started
            _say(f"{step + 1}/{steps} {seconds:.0f}s loss {np.mean(recent):.3f} {accuracy}")
            recent.clear()
    _share_blank(model, parts, blank)


def _draw_batch(
    rng: np.random.Generator, parts: Sequence[Captioned], blank: int
) -> tuple[list[torch.Tensor], list[tuple[torch.Tensor, torch.Tensor]]]:
    """Return the pixels, and the texts with their matches, of people and of whole images."""
    rows = [rng.integers(len(part.tokens), size=n) for part, n in zip(parts, BATCH, strict=True)]
    chosen = list(zip(parts, rows, strict=True))
    pixels = [draw_pixels(rng, part.pictures, some) for part, some in chosen]
    return pixels, [draw_texts(rng, part, some, blank) for part, some in chosen]


def _make_optimizer(model: CLIP, rate: float) -> torch.optim.Optimizer:
    """Decay matrices and kernels, and neither scales nor biases."""
    decayed = [weight for weight in model.parameters() if weight.ndim > 1]
    plain = [weight for weight in model.parameters() if weight.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


def _warm_up(model: CLIP, parts: Sequence[Captioned], *, steps: int, seed: int, blank: int) -> None:
    """Train the text tower against the true values themselves, in place of pictures of them.

    Untrained towers of both sides have to find each other, and what is small in a picture is found
    last; a text tower that separates the values teaches the image tower all of them from the start.
    """
    rng = np.random.default_rng([seed, 2])
    stand_ins = torch.nn.ModuleList(
        torch.nn.Linear(len(ATTRIBUTE_VALUES), model.text_projection.shape[1]) for _ in parts
    )
    weights = [weight for name, weight in model.named_parameters() if "visual" not in name]
    optimizer = torch.optim.AdamW([*weights, *stand_ins.parameters()], lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    model.train()
    for step in range(steps):
        losses = []
        for part, stand_in, size in zip(parts, stand_ins, BATCH, strict=True):
            rows = rng.integers(len(part.tokens), size=size)
            tokens, match = draw_texts(rng, part, rows, blank)
            shown = torch.from_numpy(part.pictures.truth[rows].astype(np.float32))
            images = torch.nn.functional.normalize(stand_in(shown), dim=-1)
            texts = model.encode_text(tokens, normalize=True)
            losses.append(contrast(images, texts, model.logit_scale.exp(), match))
        loss = sum(losses, torch.zeros(()))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            _say(f"text {step + 1}/{steps} loss {loss.item():.3f}")
    with torch.no_grad():
        model.logit_scale.clamp_(0, math.log(60))


def _loss(
    model: CLIP, pixels: Sequence[torch.Tensor], texts: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        images = model.encode_image(torch.cat(list(pixels)))
    images = torch.nn.functional.normalize(images.float(), dim=-1)
    words = model.encode_text(torch.cat([tokens for tokens, _ in texts]), normalize=True)
    scale = model.logit_scale.exp()
    pairs = zip(
        torch.split(images, [len(some) for some in pixels]),
        torch.split(words, [len(tokens) for tokens, _ in texts]),
        texts,
        strict=True,
    )
    losses = [contrast(image, text, scale, match) for image, text, (_, match) in pairs]
    return losses[0] + 0.4 * losses[1]


def _share_blank(model: CLIP, parts: Sequence[Captioned], blank: int) -> None:
    """Give all words that were never read the vector learned for an unread word."""
    unread = torch.from_numpy(find_unread(parts)).long()
    with torch.no_grad():
        table = model.token_embedding.weight
        table[unread] = table[blank].clone()


def measure_accuracies(model: CLIP, test: tuple[Pictures, Pictures]) -> dict[str, float]:
    """Return the accuracy of each attribute on unseen pictures with prompts never trained on."""
    model.eval()
    tokenize = open_clip.SimpleTokenizer(context_length=model.context_length)

    def encode(texts: list[str]) -> npt.NDArray[np.float32]:
        with torch.no_grad():
            vectors: npt.NDArray[np.float32] = model.encode_text(
                tokenize(texts), normalize=True
            ).numpy()
        return vectors

    accuracies = {}
    vectors = [_encode_images(model, pictures) for pictures in test]
    for prompts in read_prompts():
        whole = prompts.applies_to == "image"
        found = measure_label_accuracy(vectors[whole], test[whole].truth, prompts, encode=encode)
        accuracies[prompts.name] = found.accuracy
    return accuracies


def _encode_images(model: CLIP, pictures: Pictures) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        parts = [
            model.encode_image(to_tensor(pictures.pixels[start : start + 256]), normalize=True)
            for start in range(0, len(pictures.pixels), 256)
        ]
    return torch.cat(parts).float().numpy()


def train_world_encoder(*, images: int, epochs: int, seed: int, workers: int) -> CLIP:
    """Draw the training world, write its captions and train; return the model."""
    crops, wholes = make_pictures(images=images, seed=1_000_000 + seed, workers=workers)
    test = make_pictures(images=400, seed=2_000_000 + seed, workers=workers)
    _say(f"drew {len(crops.pixels)} people in {len(wholes.pixels)} images")
    parts = (
        caption_pictures(crops, whole=False, seed=seed),
        caption_pictures(wholes, whole=True, seed=seed),
    )
    model = build_model(seed)
    train(model, parts, epochs=epochs, seed=seed, test=test)
    return model


def main() -> None:
    """Train the encoder and write it where the demo looks for it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=count_cores())
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "encoder")
    options = parser.parse_args()
    model = train_world_encoder(
        images=options.images, epochs=options.epochs, seed=options.seed, workers=options.workers
    )
    save_model(model, options.out)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the script's own output


if __name__ == "__main__":
    main()
