"""The demo's encoder: its shape, built untrained and saved as open_clip reads it."""

import json
from pathlib import Path

import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import save_file

from pipeline.demo.training.training_batches import CONTEXT
from pipeline.demo.training.training_set import SIDE

MODEL = {
    "embed_dim": 96,
    "vision_cfg": {"layers": [1, 1, 1, 1], "width": 16, "image_size": SIDE},
    "text_cfg": {
        "context_length": CONTEXT,
        "vocab_size": 49408,
        "width": 48,
        "heads": 4,
        "layers": 2,
    },
}
PREPROCESS = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bilinear",
    "resize_mode": "squash",
}


def build_model(seed: int) -> CLIP:
    """Build the untrained model out of open_clip's own classes."""
    torch.manual_seed(seed)
    model = CLIP(
        embed_dim=MODEL["embed_dim"],
        vision_cfg=CLIPVisionCfg(**MODEL["vision_cfg"]),  # type: ignore[arg-type]  # a JSON-like dict
        text_cfg=CLIPTextCfg(**MODEL["text_cfg"]),  # type: ignore[arg-type]  # a JSON-like dict
    )
    return model.to(memory_format=torch.channels_last)


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
