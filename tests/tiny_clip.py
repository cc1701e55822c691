"""A real open_clip model with random weights: small, offline, made in a second."""

import json
from pathlib import Path
from typing import Any

VISION = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
MODEL: dict[str, Any] = {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": TEXT}
PREPROCESS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}


def write_tiny(folder: Path, *, seed: int = 0, dim: int = 16, **preprocess: object) -> Path:
    """Write the model as an open_clip local-dir, its weights stored in half precision.

    dim: length of its vectors.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    shape = {**MODEL, "embed_dim": dim}
    config = {"model_cfg": shape, "preprocess_cfg": {**PREPROCESS, **preprocess}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    model = open_clip.model.CLIP(**shape)
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return folder
