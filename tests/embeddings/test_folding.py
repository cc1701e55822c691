"""Folded batch norms: the same outputs with fewer steps."""

import torch
from torch import nn

from pipeline.embeddings.folding import fold_batch_norms

EXAMPLE = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def trained(model: nn.Module) -> nn.Module:
    """Give batch norms statistics that are not the identity."""
    model.train()
    with torch.no_grad():
        for _ in range(5):
            model(EXAMPLE * 3 + 1)
    return model.eval()


def count_norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def test_a_norm_after_a_convolution_is_folded_and_nothing_changes() -> None:
    model = trained(
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 1))
    )
    folded = fold_batch_norms(model, EXAMPLE)
    assert count_norms(folded) == 0
    other = torch.randn(3, 3, 20, 20, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        assert torch.allclose(folded(other), model(other), atol=1e-5)


def test_the_activation_inside_a_norm_of_timm_stays() -> None:
    from timm.layers.norm_act import BatchNormAct2d

    model = trained(nn.Sequential(nn.Conv2d(3, 8, 3), BatchNormAct2d(8)))
    folded = fold_batch_norms(model, EXAMPLE)
    assert count_norms(folded) == 0
    with torch.inference_mode():
        assert torch.allclose(folded(EXAMPLE), model(EXAMPLE), atol=1e-5)
        assert float(folded(EXAMPLE).min()) >= 0


def test_a_norm_that_follows_no_convolution_stays() -> None:
    model = trained(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8)))
    assert fold_batch_norms(model, EXAMPLE) is model


class Branching(nn.Module):
    """The convolution's output is used beside the norm: folding would change that use."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.conv(images)
        normed: torch.Tensor = self.norm(made)
        return made + normed


def test_a_model_that_folding_would_change_is_kept_as_it_is() -> None:
    model = trained(Branching())
    assert fold_batch_norms(model, EXAMPLE) is model


class Shared(nn.Module):
    """One convolution before two norms."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.one, self.two = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        second: torch.Tensor = self.two(self.conv(self.one(self.conv(images))))
        return second


def test_a_convolution_that_is_used_twice_is_not_folded() -> None:
    model = trained(Shared())
    assert fold_batch_norms(model, EXAMPLE) is model
