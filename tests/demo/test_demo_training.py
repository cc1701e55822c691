import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from pipeline.demo.training.captions import ATTRIBUTE_VALUES
from pipeline.demo.training.encoder_model import build_model, save_model
from pipeline.demo.training.train_encoder import contrast, train
from pipeline.demo.training.training_batches import (
    CAPTIONS,
    EACH,
    SPECIAL,
    Captioned,
    caption_pictures,
    draw_pixels,
    draw_texts,
    find_unread,
)
from pipeline.demo.training.training_set import SIDE, make_pictures


@pytest.fixture(scope="module")
def parts() -> tuple[Captioned, Captioned]:
    crops, wholes = make_pictures(images=70, seed=1)
    return caption_pictures(crops, whole=False, seed=0), caption_pictures(
        wholes, whole=True, seed=0
    )


def test_the_loss_is_least_when_every_text_lies_on_its_image() -> None:
    axes, scale = torch.eye(3), torch.tensor(50.0)
    assert contrast(axes, axes, scale, torch.eye(3)) < 1e-6
    assert contrast(axes, axes.flip(0), scale, torch.eye(3)) > 10


def test_two_texts_that_are_true_of_one_image_do_not_repel_each_other() -> None:
    images, texts = torch.eye(2), torch.eye(2)[[0, 0, 1]]
    match = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    alone = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    scale = torch.tensor(50.0)
    # One half of the loss is the image's: it cannot tell two true texts apart, at a cost of log 2
    # for one of two images.
    assert contrast(images, texts, scale, match) == pytest.approx(np.log(2) / 4, abs=1e-5)
    assert contrast(images, texts, scale, alone) >= contrast(images, texts, scale, match)


@pytest.mark.slow
def test_a_drawn_picture_matches_its_own_captions(parts: tuple[Captioned, Captioned]) -> None:
    rows = np.arange(20)
    tokens, match = draw_texts(np.random.default_rng(0), parts[0], rows, blank=7)
    assert tokens.shape[0] == match.shape[1] == 20 * EACH
    for row in range(20):
        assert match[row, row * EACH : (row + 1) * EACH].all()
    assert not match.all()


def test_drawn_pixels_keep_shape_and_range(parts: tuple[Captioned, Captioned]) -> None:
    pixels = draw_pixels(np.random.default_rng(0), parts[1].pictures, np.arange(4))
    assert pixels.shape == (4, 3, SIDE, SIDE)
    assert pixels.min() >= -1
    assert pixels.max() <= 1.4


def test_captions_are_written_for_every_picture(parts: tuple[Captioned, Captioned]) -> None:
    for part in parts:
        assert part.tokens.shape[:2] == (len(part.pictures.pixels), CAPTIONS)
        assert part.against.shape == (*part.tokens.shape[:2], len(ATTRIBUTE_VALUES))
        truth = part.pictures.truth[:, None, :]
        assert not (part.against & truth).any()


@pytest.mark.slow
def test_unread_tokens_are_in_no_caption(parts: tuple[Captioned, Captioned]) -> None:
    unread = find_unread(parts)
    assert not np.isin(parts[0].tokens, unread).any()
    assert unread.max() < SPECIAL
    assert len(unread) > 40_000


@pytest.mark.slow
def test_training_shares_one_vector_among_unread_words_and_saves_a_loadable_model(
    parts: tuple[Captioned, Captioned], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build_model(0)
    pictures = (parts[0].pictures, parts[1].pictures)
    train(model, parts, epochs=1, seed=0, test=pictures, warm_up=2)
    assert "age=" in capsys.readouterr().out
    unread = torch.from_numpy(find_unread(parts)).long()
    table = model.token_embedding.weight[unread]
    assert torch.equal(table, table[:1].expand_as(table))
    save_model(model, tmp_path)
    assert json.loads((tmp_path / "open_clip_config.json").read_text())["model_cfg"]
    loaded, _, _ = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    text = open_clip.SimpleTokenizer(context_length=24)(["a photo of a child"])
    with torch.no_grad():
        ours, theirs = (one.eval().encode_text(text, normalize=True) for one in (model, loaded))
    assert torch.allclose(ours, theirs, atol=2e-3)
