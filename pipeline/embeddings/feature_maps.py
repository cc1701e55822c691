"""The last feature maps of an image tower: what its own pooling would make one vector of."""

from typing import Any

import torch
from open_clip.model import VisionTransformer
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel

from pipeline.exceptions import EncoderError


def take_maps(tower: Any, images: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - open_clip is untyped
    """Return (n, h, w, c) feature maps of an open_clip model's image tower, in eval mode.

    images: (n, 3, h, w), scaled. Of CLIP's own ResNets the output of the last layer before its
    attention; of a ViT the patch tokens after its last norm; of timm models what they pool, or the
    patch tokens. Raises EncoderError for any other tower.
    """
    if isinstance(tower, ModifiedResNet):
        return _take_last(tower, images).permute(0, 2, 3, 1)
    if isinstance(tower, VisionTransformer):
        return _take_last(tower, images, normalize_intermediates=True).permute(0, 2, 3, 1)
    if isinstance(tower, TimmModel):
        return _arrange(tower.trunk, tower.trunk.forward_features(images), images)
    raise EncoderError(
        f"pooling: the image tower is a {type(tower).__name__}, of which no feature maps are known "
        "(ResNets, ViTs and timm models have some); take the pooling cls"
    )


def _take_last(tower: Any, images: torch.Tensor, **options: bool) -> torch.Tensor:  # noqa: ANN401 - open_clip is untyped
    """Return (n, c, h, w) of the last block."""
    found = tower.forward_intermediates(images, indices=1, intermediates_only=True, **options)
    maps: torch.Tensor = found["image_intermediates"][-1]
    return maps


def _arrange(trunk: Any, features: torch.Tensor, images: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - timm is untyped
    """Bring what a timm model pools to (n, h, w, c): maps of either order, or tokens."""
    channels = int(trunk.num_features)
    if features.ndim == 4:
        wide = getattr(trunk, "head_hidden_size", None) or channels
        last = features.shape[-1] in (channels, wide) and features.shape[1] not in (channels, wide)
        return features if last else features.permute(0, 2, 3, 1)
    tokens = features[:, int(getattr(trunk, "num_prefix_tokens", 0)) :]
    height, width = _find_grid(trunk, images)
    if features.ndim != 3 or tokens.shape[1] != height * width:
        raise EncoderError(
            f"pooling: the features of {type(trunk).__name__} have the shape "
            f"{tuple(features.shape)}, which is no map; take the pooling cls"
        )
    return tokens.reshape(len(tokens), height, width, tokens.shape[-1])


def _find_grid(trunk: Any, images: torch.Tensor) -> tuple[int, int]:  # noqa: ANN401 - timm is untyped
    """Return how many patches a timm transformer cuts along height and width."""
    patches = getattr(trunk, "patch_embed", None)
    size = getattr(patches, "patch_size", None)
    if size is None:
        return 0, 0
    sides = (size, size) if isinstance(size, int) else size
    return images.shape[-2] // int(sides[0]), images.shape[-1] // int(sides[1])
