"""A card says what a workspace's vectors were made with, and needs no weights to be read."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import EncoderCard, spec_key, weights_stamp
from pipeline.exceptions import EncoderError

CARD = EncoderCard("a|b|auto", (5, 7), "float32-0a", 256, 13.67, 0.0)


def test_a_card_survives_its_json() -> None:
    for card in (CARD, EncoderCard("a||fp32", None, "x", 3, 1.5, -10.0)):
        assert EncoderCard.from_json(card.to_json()) == card


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stamp": [1]}', "null"])
def test_a_broken_card_is_reported_with_its_file(text: str) -> None:
    with pytest.raises(EncoderError, match=r"ws/encoder.json"):
        EncoderCard.from_json(text, source="ws/encoder.json")


def test_the_spec_distinguishes_model_weights_and_precision() -> None:
    keys = {
        spec_key(EncoderConfig(model="A", pretrained="p")),
        spec_key(EncoderConfig(model="A", pretrained="q")),
        spec_key(EncoderConfig(model="B", pretrained="p")),
        spec_key(EncoderConfig(model="A", pretrained="p", precision="fp32")),
    }
    assert len(keys) == 4
    small = EncoderConfig(model="A", pretrained="p", batch_size=1)
    assert spec_key(small) in keys


def test_the_stamp_follows_the_weights_without_opening_them(tmp_path: Path) -> None:
    config = EncoderConfig(model=f"local-dir:{tmp_path}")
    assert weights_stamp(config) is None
    (tmp_path / "open_clip_config.json").write_text("{}")
    assert weights_stamp(config) is None
    weights = tmp_path / "open_clip_model.safetensors"
    weights.write_bytes(b"12345")
    weights.chmod(0)
    first = weights_stamp(config)
    assert first is not None
    assert first[0] == 7
    weights.chmod(0o600)
    weights.write_bytes(b"123456")
    assert weights_stamp(config) != first
    assert weights_stamp(EncoderConfig(model="ViT-B-32", pretrained="openai")) is None


def test_cards_and_blocks_need_no_torch() -> None:
    code = (
        "import sys, pipeline, pipeline.embeddings; assert 'numpy' not in sys.modules;"
        "import pipeline.embeddings.card, pipeline.embeddings.embed;"
        "assert 'torch' not in sys.modules and 'open_clip' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
