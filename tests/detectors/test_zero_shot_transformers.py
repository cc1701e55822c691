"""Zero-shot detectors of transformers: padding, order, thresholds; tiny models of random weights.

The models run where transformers is installed (weakspot[transformers]); all else without it.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from pipeline.detectors.zero_shot_transformers import (
    Phrases,
    ZeroShotDetector,
    drop_doubles,
    join_phrases,
    load_zero_shot,
    read_boxes,
    split_tokens,
)
from pipeline.exceptions import ConfigError

WIDE, HIGH = Image.new("RGB", (80, 40), "white"), Image.new("RGB", (30, 90), "white")
CATEGORIES = {"person": ("a person", "a pedestrian"), "hat": ("a hard hat",)}
# Center x, y, width, height, as parts of what the model saw.
BOXES = torch.tensor([[0.25, 0.125, 0.25, 0.25], [0.5, 0.25, 1.0, 0.5], [0.5, 0.9, 0.2, 0.1]])
SCORES = torch.tensor([[0.2, 0.6, 0.5], [0.1, 0.05, 0.3], [0.9, 0.9, 0.9]])


def test_boxes_of_a_padded_square_are_in_pixels_of_the_image_and_padding_holds_none() -> None:
    found = read_boxes(BOXES, SCORES, ["person", "person", "hat"], size=(80, 40), padded=True)
    assert [one.category for one in found] == ["person", "hat"]
    assert [*found[0][1:5], *found[1][1:5]] == pytest.approx([10, 0, 20, 20, 0, 0, 80, 40])
    assert [one.score for one in found] == pytest.approx([0.6, 0.3])


def test_boxes_of_an_image_that_was_not_padded_are_parts_of_its_sides() -> None:
    (one,) = read_boxes(BOXES[:1], SCORES[:1], list("abc"), size=(80, 40), padded=False)
    assert one.category == "b"
    assert list(one[1:]) == pytest.approx([10, 0, 20, 10, 0.6])


def test_a_score_below_the_least_is_no_detection() -> None:
    scores = torch.tensor([[0.1], [0.0999], [0.0]])
    assert len(read_boxes(BOXES, scores, ["a"], size=(40, 40), padded=True)) == 1


def test_of_several_boxes_of_a_text_the_best_is_left() -> None:
    boxes = torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.51, 0.5, 0.4, 0.4], [0.5, 0.5, 0.41, 0.4]])
    scores = torch.tensor([[0.6, 0.1], [0.7, 0.2], [0.1, 0.3]])  # the last is of another text
    left, kept = drop_doubles(boxes, scores)
    assert kept.tolist() == scores[[1, 2]].tolist()
    assert left.tolist() == boxes[[1, 2]].tolist()


class Words:
    """A tokenizer of whole words: 1 begins, 2 ends, 3 is a full stop."""

    all_special_ids = (1, 2)
    unk_token_id = 9

    def convert_tokens_to_ids(self, _word: str) -> int:
        return 3


def test_each_phrase_has_the_tokens_between_its_stops() -> None:
    assert join_phrases(["a Person", "a no. 5 bus"]) == "a person. a no  5 bus."
    assert split_tokens([1, 10, 11, 3, 10, 9, 12, 3, 2], Words()) == [[1, 2], [4, 5, 6]]


class Fixed:
    """A model like Grounding DINO whose answer is known: logits of three boxes by token."""

    config = SimpleNamespace(model_type="grounding-dino")

    def eval(self) -> "Fixed":
        return self

    def to(self, _device: str) -> "Fixed":
        return self

    def __call__(self, **inputs: object) -> Any:
        assert set(inputs) == {"input_ids"}
        logits = torch.full((1, 3, 12), float("-inf"))
        logits[0, :, 1:9] = -5.0
        logits[0, 0, 5] = 2.0  # "pedestrian", the second text of person
        logits[0, 1, 9] = 1.0  # "hat"
        return SimpleNamespace(logits=logits, pred_boxes=BOXES[None])


class Inputs(dict[str, torch.Tensor]):
    def to(self, _device: str) -> "Inputs":
        return self


class Tokens:
    """Its processor: "a person. a pedestrian. a hard hat." as one token a word."""

    tokenizer = Words()

    def __call__(self, **asked: object) -> Inputs:
        assert asked["text"] == "a person. a pedestrian. a hard hat."
        ids = [1, 10, 11, 3, 10, 12, 3, 10, 13, 14, 3, 2]
        return Inputs(input_ids=torch.tensor([ids]))


def test_a_box_is_of_the_category_of_its_best_text_whatever_the_order() -> None:
    phrases = Phrases(("a person", "a pedestrian", "a hard hat"), ("person", "person", "hat"))
    found = ZeroShotDetector("z", Fixed(), Tokens(), phrases, detector_id="1").detect(WIDE)
    assert [(one.category, round(one.score, 3)) for one in found] == [
        ("person", 0.881),
        ("hat", 0.731),
    ]


def write_owl(folder: Path, transformers: Any) -> None:
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    vocabulary = [*letters, *(one + "</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = transformers.CLIPTokenizer(
        vocab={one: place for place, one in enumerate(vocabulary)}, merges=[]
    )
    text = {"vocab_size": len(vocabulary), "hidden_size": 16, "intermediate_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16,
            "bos_token_id": 52, "eos_token_id": 53, "pad_token_id": 53}  # fmt: skip
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
              "num_attention_heads": 2, "image_size": 32, "patch_size": 16}  # fmt: skip
    config = transformers.Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    transformers.Owlv2ForObjectDetection(config).save_pretrained(folder)
    images = transformers.Owlv2ImageProcessor(size={"height": 32, "width": 32})
    tokenizer.model_max_length = 16
    transformers.Owlv2Processor(images, tokenizer).save_pretrained(folder)


def write_dino(folder: Path, transformers: Any) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "a", "person", "pedestrian", "hard",
             "hat"]  # fmt: skip
    tokenizer = transformers.BertTokenizer(vocab={one: place for place, one in enumerate(words)})
    backbone = transformers.SwinConfig(
        image_size=64, embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=2,
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    text = {"model_type": "bert", "vocab_size": len(words), "hidden_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}  # fmt: skip
    config = transformers.GroundingDinoConfig(
        backbone_config=backbone, text_config=text, num_queries=10, d_model=32, encoder_layers=1,
        encoder_ffn_dim=16, encoder_attention_heads=2, decoder_layers=2, decoder_ffn_dim=16,
        decoder_attention_heads=2, num_feature_levels=3, max_text_len=32, use_timm_backbone=False,
    )  # fmt: skip
    transformers.GroundingDinoForObjectDetection(config).save_pretrained(folder)
    size = {"shortest_edge": 64, "longest_edge": 96}
    images = transformers.GroundingDinoImageProcessor(size=size)
    transformers.GroundingDinoProcessor(images, tokenizer).save_pretrained(folder)


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_owl, write_dino])
def test_a_tiny_model_of_random_weights_runs_offline(tmp_path: Path, write: Any) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    write(tmp_path, transformers)
    detector = load_zero_shot(tmp_path, CATEGORIES)
    for image in (WIDE, HIGH):
        found = detector.detect(image)
        assert found, "random scores are near one half"
        assert {one.category for one in found} <= set(CATEGORIES)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            assert 0 <= one.x < one.x + one.w <= image.width + 1e-4
            assert 0 <= one.y < one.y + one.h <= image.height + 1e-4
        assert detector.detect(image) == found
    turned = dict(reversed(CATEGORIES.items()))
    again = load_zero_shot(tmp_path, turned)
    assert again.detector_id != detector.detector_id
    by_box = {one[1:5]: one.category for one in detector.detect(WIDE)}
    assert (
        sum(by_box.get(one[1:5]) == one.category for one in again.detect(WIDE)) >= len(by_box) / 2
    )


def test_a_folder_that_holds_no_detector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_zero_shot(tmp_path, CATEGORIES)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nonsense"}))
    with pytest.raises(ConfigError, match=r"cannot be loaded|weakspot\[transformers\]"):
        load_zero_shot(tmp_path, CATEGORIES)
