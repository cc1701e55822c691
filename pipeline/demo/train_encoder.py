"""Train the demo's encoder: `python -m pipeline.demo.train_encoder` writes an open_clip local-dir.

The loss is the symmetric contrastive one, with every caption that is true of an image counted as
its match (UniCL, Yang et al., CVPR 2022, equations 3 to 5): with few facts in a world, captions of
other images are often true of this one too.
"""

import argparse
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import save_file

from pipeline.demo.captions import FACTS, PERSON_TOPICS, caption_person, caption_scene
from pipeline.demo.judge import judge_labels, read_prompts
from pipeline.demo.training_set import SIDE, Pictures, make_pictures

MODEL = {
    "embed_dim": 96,
    "vision_cfg": {"layers": [1, 1, 1, 1], "width": 16, "image_size": SIDE},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 48, "heads": 4, "layers": 2},
}
PREPROCESS = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bilinear",
    "resize_mode": "squash",
}
IMAGES, EPOCHS = 8000, 8
TOPICS = ("who", *PERSON_TOPICS)
WEIGHTS = {"who": 2.0, "headwear": 2.0, "glasses": 3.0, "hair": 3.0}  # of topics; others 1
FREE = 3  # captions of a picture that word any facts; of a person there is one more for each topic
EACH = 3  # captions of a picture in a batch
UNREAD = 0.05  # share of words replaced by one that no caption holds
SPECIAL = 49406  # tokens from here on start and end a text

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Captioned:
    """Pictures with c captions each: tokens (n, c, length), against (n, c, len(FACTS)).

    The last FREE captions word any facts; those before them, if any, one of TOPICS each.
    """

    pictures: Pictures
    tokens: Tokens
    against: npt.NDArray[np.bool_]


def build_model(seed: int) -> CLIP:
    """Build the untrained model out of open_clip's own classes."""
    torch.manual_seed(seed)
    model = CLIP(
        embed_dim=MODEL["embed_dim"],
        vision_cfg=CLIPVisionCfg(**MODEL["vision_cfg"]),  # type: ignore[arg-type]  # a JSON-like dict
        text_cfg=CLIPTextCfg(**MODEL["text_cfg"]),  # type: ignore[arg-type]  # a JSON-like dict
    )
    return model.to(memory_format=torch.channels_last)


def caption_pictures(pictures: Pictures, *, whole: bool, seed: int) -> Captioned:
    """Write and tokenize the captions of all pictures."""
    rng = np.random.default_rng([seed, int(whole)])
    texts, against = [], []
    for facts in pictures.facts:
        values = {FACTS[position][0]: FACTS[position][1] for position in np.flatnonzero(facts)}
        if whole:
            captions = [caption_scene(rng, values) for _ in range(FREE)]
        else:
            topics = [*TOPICS, *[None] * FREE]
            captions = [caption_person(rng, values, topic=topic) for topic in topics]
        texts += [caption.text for caption in captions]
        against += [caption.against for caption in captions]
    length = MODEL["text_cfg"]["context_length"]  # type: ignore[index]  # a JSON-like dict
    tokens = open_clip.SimpleTokenizer(context_length=length)(texts).numpy().astype(np.int32)
    shape = (len(pictures.facts), len(texts) // len(pictures.facts), -1)
    return Captioned(pictures, tokens.reshape(shape), np.array(against).reshape(shape))


def contrast(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, match: torch.Tensor
) -> torch.Tensor:
    """Return the symmetric loss; match (n, m) tells which texts are true of which images."""
    logits = scale * images @ texts.T
    by_image = match / match.sum(1, keepdim=True).clamp(min=1)
    by_text = match.T / match.T.sum(1, keepdim=True).clamp(min=1)
    image_loss = -(by_image * logits.log_softmax(1)).sum(1).mean()
    text_loss = -(by_text * logits.T.log_softmax(1)).sum(1).mean()
    return (image_loss + text_loss) / 2


def train(
    model: CLIP,
    crops: Captioned,
    wholes: Captioned,
    *,
    epochs: int,
    seed: int,
    test: tuple[Pictures, Pictures],
    rate: float = 2e-3,
    batch: tuple[int, int] = (128, 24),
) -> None:
    """Train in place with AdamW and a cosine schedule; print loss and label accuracy."""
    rng = np.random.default_rng(seed)
    steps = epochs * (len(crops.tokens) // batch[0])
    decayed = [weight for weight in model.parameters() if weight.ndim > 1]
    plain = [weight for weight in model.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
        lr=rate,
        betas=(0.9, 0.98),
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / steps)) + 1e-3),
    )
    blank = _find_blank(crops, wholes)
    started, recent = time.monotonic(), []
    for step in range(steps):
        model.train()
        parts = [(crops, batch[0]), (wholes, batch[1])]
        loss = _loss(model, [_draw_batch(rng, part, size, blank) for part, size in parts])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(60))
        recent.append(loss.item())
        if (step + 1) % 200 == 0 or step + 1 == steps:
            seconds = time.monotonic() - started
            accuracy = " ".join(f"{n}={a:.3f}" for n, a in judge_model(model, test).items())
            _say(f"{step + 1}/{steps} {seconds:.0f}s loss {np.mean(recent):.3f} {accuracy}")
            recent.clear()
    _share_blank(model, crops, wholes, blank)


def judge_model(model: CLIP, test: tuple[Pictures, Pictures]) -> dict[str, float]:
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
        quality = judge_labels(vectors[whole], test[whole].facts, prompts, encode=encode)
        accuracies[prompts.name] = quality.accuracy
    return accuracies


def save_model(model: CLIP, folder: Path) -> None:
    """Write the model as an open_clip local-dir: configuration and float16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(weights, folder / "open_clip_model.safetensors")


def _encode_images(model: CLIP, pictures: Pictures) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        parts = [
            model.encode_image(_to_tensor(pictures.pixels[start : start + 256]), normalize=True)
            for start in range(0, len(pictures.pixels), 256)
        ]
    return torch.cat(parts).float().numpy()


def _to_tensor(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return tensor.contiguous(memory_format=torch.channels_last)


def _draw_batch(
    rng: np.random.Generator, part: Captioned, size: int, blank: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return pixels, tokens of EACH captions a picture, and which is true of which picture."""
    rows = rng.integers(len(part.tokens), size=size)
    pixels = part.pictures.pixels[rows].copy()
    mirrored = rng.random(size) < 0.5
    pixels[mirrored] = pixels[mirrored, :, ::-1]
    moved = np.roll(pixels, tuple(rng.integers(-3, 4, 2)), axis=(1, 2))
    picks = _draw_captions(rng, part.tokens.shape[1])
    tokens = part.tokens[rows[:, None], picks].reshape(size * EACH, -1)
    against = part.against[rows[:, None], picks].reshape(size * EACH, -1)
    hidden = (rng.random(tokens.shape) < UNREAD) & (tokens > 0) & (tokens < SPECIAL)
    tokens[hidden] = blank
    facts = part.pictures.facts[rows].astype(np.float32)
    match = (facts @ against.T.astype(np.float32)) == 0  # (size, size * EACH)
    light = torch.from_numpy(rng.uniform(0.85, 1.15, (size, 1, 1, 1)).astype(np.float32))
    images = ((_to_tensor(moved) + 1) * light - 1).contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(tokens).long(), torch.from_numpy(match).float()


def _draw_captions(rng: np.random.Generator, count: int) -> npt.NDArray[np.intp]:
    """Choose which EACH of a picture's captions are in a batch.

    Texts cost a tenth of what pictures cost, so that several captions a picture teach more a
    second. Those on the same two topics, one caption of each picture, are hard negatives of each
    other: without them small things such as glasses are learned last.
    """
    free = count - FREE + rng.permutation(FREE)
    if count == FREE:
        return free[:EACH]
    weights = np.array([WEIGHTS.get(topic, 1.0) for topic in TOPICS])
    topics = rng.choice(len(TOPICS), 2, replace=False, p=weights / weights.sum())
    return np.concatenate([topics, free[:1]])


def _loss(
    model: CLIP, batches: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        images = model.encode_image(torch.cat([batch[0] for batch in batches]))
    texts = model.encode_text(torch.cat([batch[1] for batch in batches]), normalize=True)
    images = torch.nn.functional.normalize(images.float(), dim=-1)
    scale = model.logit_scale.exp()
    sizes = [batch[0].shape[0] for batch in batches]
    pairs = zip(
        torch.split(images, sizes),
        torch.split(texts, [EACH * size for size in sizes]),
        batches,
        strict=True,
    )
    losses = [contrast(image, text, scale, batch[2]) for image, text, batch in pairs]
    return losses[0] + 0.4 * losses[1]


def _find_blank(*parts: Captioned) -> int:
    """Return a token that no caption holds; it stands for every word that was never read."""
    read = np.unique(np.concatenate([part.tokens.ravel() for part in parts]))
    return int(np.setdiff1d(np.arange(1, SPECIAL), read)[0])


def _share_blank(model: CLIP, crops: Captioned, wholes: Captioned, blank: int) -> None:
    """Give all words that were never read the vector learned for an unread word."""
    read = np.unique(np.concatenate([part.tokens.ravel() for part in (crops, wholes)]))
    unread = np.setdiff1d(np.arange(1, SPECIAL), read)
    with torch.no_grad():
        table = model.token_embedding.weight
        table[torch.from_numpy(unread)] = table[blank].clone()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the script's own output


def train_world_encoder(*, images: int, epochs: int, seed: int, workers: int) -> CLIP:
    """Draw the training world, write its captions, train and judge; return the model."""
    crops, wholes = make_pictures(images=images, seed=1_000_000 + seed, workers=workers)
    test = make_pictures(images=400, seed=2_000_000 + seed, workers=workers)
    _say(f"drew {len(crops.pixels)} people in {len(wholes.pixels)} images")
    captioned = [
        caption_pictures(pictures, whole=whole, seed=seed)
        for pictures, whole in ((crops, False), (wholes, True))
    ]
    model = build_model(seed)
    train(model, captioned[0], captioned[1], epochs=epochs, seed=seed, test=test)
    return model


def main() -> None:
    """Train the encoder and write it where the demo looks for it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "encoder")
    options = parser.parse_args()
    model = train_world_encoder(
        images=options.images, epochs=options.epochs, seed=options.seed, workers=options.workers
    )
    save_model(model, options.out)


if __name__ == "__main__":
    main()
