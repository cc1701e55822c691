"""Feature maps of small open_clip models of each family; from them the model's own vectors."""

from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from pipeline.config.audit import EncoderConfig
from pipeline.embeddings.card import MapEncoder
from pipeline.embeddings.encoder import load_encoder
from pipeline.embeddings.feature_maps import take_maps
from pipeline.exceptions import EncoderError
from tests.tiny_clip import TEXT, write_tiny

Vision = dict[str, Any]
RESNET: Vision = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 8}
VIT: Vision = {"image_size": 64, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16}


def timm(name: str, size: int = 64, **options: object) -> Vision:
    return {
        "image_size": size, "timm_model_name": name, "timm_model_pretrained": False,
        "timm_pool": "avg", "timm_proj": "linear", **options,
    }  # fmt: skip


FAMILIES: dict[str, tuple[Vision, tuple[int, int, int]]] = {
    "CLIP's ResNet": (RESNET, (2, 2, 256)),
    "ViT by class token": (VIT, (4, 4, 32)),
    "ViT by mean of patches": ({**VIT, "pool_type": "avg"}, (4, 4, 32)),
    "timm ResNet": (timm("test_resnet"), (2, 2, 96)),
    "timm ConvNeXt": (timm("test_convnext", timm_pool=""), (2, 2, 64)),
    "timm, channels last": (timm("test_mambaout", timm_pool=""), (2, 2, 64)),
    "timm EfficientNet": (timm("efficientnet_lite0"), (2, 2, 1280)),
    "timm ViT": (timm("test_vit", 160, timm_pool="token"), (10, 10, 64)),
}


def make_tower(vision: Vision) -> tuple[Any, torch.Tensor]:
    torch.manual_seed(1)
    model = open_clip.model.CLIP(embed_dim=16, vision_cfg=vision, text_cfg=TEXT).eval()
    size = vision["image_size"]
    return model, torch.randn(2, 3, size, size)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_maps_of_its_own_grid(family: str) -> None:
    vision, shape = FAMILIES[family]
    model, images = make_tower(vision)
    with torch.inference_mode():
        maps = take_maps(model.visual, images)
    assert tuple(maps.shape) == (2, *shape)
    assert not torch.allclose(maps[0], maps[1])


@torch.inference_mode()
def test_the_map_of_a_clip_resnet_is_what_its_attention_pools() -> None:
    model, images = make_tower(RESNET)
    maps = take_maps(model.visual, images)
    pooled = model.visual.attnpool(maps.permute(0, 3, 1, 2))
    assert torch.allclose(pooled, model.encode_image(images), atol=1e-5)


@torch.inference_mode()
def test_the_mean_of_a_vits_patch_tokens_is_its_vector_where_it_pools_so() -> None:
    model, images = make_tower({**VIT, "pool_type": "avg"})
    pooled = take_maps(model.visual, images).mean(dim=(1, 2)) @ model.visual.proj
    assert torch.allclose(pooled, model.encode_image(images), atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("family", ["timm ResNet", "timm EfficientNet"])
def test_the_mean_of_a_timm_networks_map_is_what_its_head_takes(family: str) -> None:
    model, images = make_tower(FAMILIES[family][0])
    pooled = model.visual.head(take_maps(model.visual, images).mean(dim=(1, 2)))
    assert torch.allclose(pooled, model.encode_image(images), atol=1e-4)


@torch.inference_mode()
def test_a_patch_token_moves_with_its_patch() -> None:
    """Without attention and positions a change of one patch changes its own cell alone."""
    model, images = make_tower({**VIT, "layers": 1})
    for block in model.visual.transformer.resblocks:
        block.attn.out_proj.weight.zero_()
        block.attn.out_proj.bias.zero_()
    changed = images.clone()
    changed[:, :, 16:32, 48:64] += 1.0  # row 1, column 3
    before, after = (take_maps(model.visual, part) for part in (images, changed))
    moved = (before - after).abs().amax(dim=(0, 3)) > 1e-4
    assert moved.nonzero().tolist() == [[1, 3]]


def test_an_unknown_tower_is_refused_by_name() -> None:
    with pytest.raises(EncoderError, match="a Linear, of which no feature maps are known"):
        take_maps(torch.nn.Linear(2, 2), torch.zeros(1, 3, 8, 8))


def test_the_encoder_gives_maps_of_prepared_images(tmp_path: Any) -> None:
    folder = write_tiny(tmp_path / "m")
    encoder = load_encoder(EncoderConfig.model_validate({"model": f"local-dir:{folder}"}))
    assert isinstance(encoder, MapEncoder)
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)) for _ in range(3)]
    pixels = np.stack([encoder.prepare(image) for image in images])
    maps = encoder.encode_maps(pixels)
    assert maps.shape == (3, 2, 2, 32)
    assert maps.dtype == np.float32
    assert encoder.encode_maps(pixels[1:2])[0] == pytest.approx(maps[1], abs=1e-5)
