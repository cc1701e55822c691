"""Where an encoder computes, and with which numbers."""

import torch

from pipeline.config.encoder import EncoderConfig


def choose_device(config: EncoderConfig) -> torch.device:
    """Return the best device here: CUDA, else Apple's, else the CPU; with OpenVINO the CPU."""
    if config.runtime == "openvino":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the type of the numbers that a model computes with, where "auto" leaves it open."""
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float32
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
