"""Batch normalization folded into the convolution before it: the same function, a fifth faster.

At inference a batch norm is a scale and a shift of each channel, which the weights of the
convolution can carry (Jacob et al., CVPR 2018, section 3.2).
"""

import copy
from typing import Any

import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

TOLERANCE = 1e-4  # of the largest output, by which the folded model may differ


def fold_image_tower(model: Any, device: torch.device) -> None:  # noqa: ANN401 - open_clip is untyped
    """Fold the batch norms of an open_clip model's image tower in place, where it has any.

    On a CPU alone: on a GPU nothing was measured.
    """
    tower = getattr(model, "visual", None)
    if device.type != "cpu" or tower is None or getattr(tower, "image_size", None) is None:
        return
    height, width = find_edges(tower)
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(2, 3, height, width, generator=generator)
    model.visual = fold_batch_norms(tower, example)


def find_edges(tower: Any) -> tuple[int, int]:  # noqa: ANN401 - open_clip is untyped
    """Return height and width of the images that an image tower takes, in pixels."""
    size = tower.image_size
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def fold_batch_norms(model: torch.nn.Module, example: torch.Tensor) -> torch.nn.Module:
    """Return `model` with every batch norm folded that follows a convolution directly.

    model: in eval mode. example: (n, 3, h, w) images, run once to see what follows what. Where
    the folded model's outputs differ, or nothing can be folded, the model itself is returned.
    """
    folded = copy.deepcopy(model)
    pairs = _find_pairs(folded, example)
    for conv_name, norm_name in pairs:
        conv, norm = folded.get_submodule(conv_name), folded.get_submodule(norm_name)
        folded.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm))  # type: ignore[type-var, arg-type]  # pairs are of these types
        folded.set_submodule(norm_name, _what_remains(norm))
    if not pairs:
        return model
    with torch.inference_mode():
        expected, found = model(example), folded(example)
    near = (expected - found).abs().max() <= TOLERANCE * expected.abs().max()
    return folded if bool(near) else model


def _find_pairs(model: torch.nn.Module, example: torch.Tensor) -> list[tuple[str, str]]:
    """Return the names of convolutions and of the batch norms that take their output."""
    made: dict[int, str] = {}
    uses: dict[str, int] = {}
    pairs: list[tuple[str, str]] = []
    kept: list[Any] = []  # outputs stay alive, so that no id is given twice

    def watch(name: str, module: torch.nn.Module) -> Any:  # noqa: ANN401 - torch's hook handle
        def note_output(_module: torch.nn.Module, _inputs: Any, output: Any) -> None:  # noqa: ANN401 - a module's own output
            uses[name] = uses.get(name, 0) + 1
            made[id(output)] = name
            kept.append(output)

        def note_input(_module: torch.nn.Module, inputs: Any) -> None:  # noqa: ANN401 - a module's own inputs
            uses[name] = uses.get(name, 0) + 1
            if id(inputs[0]) in made:
                pairs.append((made[id(inputs[0])], name))

        if isinstance(module, torch.nn.Conv2d):
            return module.register_forward_hook(note_output)
        return module.register_forward_pre_hook(note_input)

    watched = (torch.nn.Conv2d, torch.nn.BatchNorm2d)
    handles = [watch(n, m) for n, m in model.named_modules() if isinstance(m, watched)]
    with torch.inference_mode():
        model(example)
    for handle in handles:
        handle.remove()
    return [(conv, norm) for conv, norm in pairs if uses[conv] == 1 and uses[norm] == 1]


def _what_remains(norm: torch.nn.Module) -> torch.nn.Module:
    """Return what a batch norm does beside normalizing: timm's ones drop and activate."""
    rest = [getattr(norm, name) for name in ("drop", "act") if hasattr(norm, name)]
    return torch.nn.Sequential(*rest)
