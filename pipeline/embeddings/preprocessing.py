"""open_clip's preprocessing in two parts: what a decoder does, and what a batch does."""

import functools
from collections.abc import Callable

import torch
from open_clip.transform import MaybeToTensor
from torchvision.transforms import Compose, Normalize


def split_preprocessing(
    preprocess: Compose, device: torch.device
) -> tuple[Compose, Callable[[torch.Tensor], torch.Tensor]]:
    """Split open_clip's transform: geometry on bytes in the decoder, arithmetic in the batch.

    The arithmetic is that of ToTensor and Normalize in their order, with constants as large as an
    image: broadcasting over three channels costs four times as much. Others are kept whole.
    """
    steps = list(preprocess.transforms)
    if len(steps) < 2 or type(steps[-2]) is not MaybeToTensor or type(steps[-1]) is not Normalize:
        return preprocess, lambda batch: batch
    mean = torch.tensor(steps[-1].mean, device=device)
    std = torch.tensor(steps[-1].std, device=device)

    @functools.cache
    def spread(shape: torch.Size) -> tuple[torch.Tensor, torch.Tensor]:
        return mean.expand(shape).contiguous(), std.expand(shape).contiguous()

    def scale(batch: torch.Tensor) -> torch.Tensor:
        center, width = spread(batch.shape[1:])  # (h, w, 3)
        return batch.float().div_(255).sub_(center).div_(width).permute(0, 3, 1, 2)

    return Compose(steps[:-2]), scale
