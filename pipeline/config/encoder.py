"""The [encoder] of audit.toml: which image-text model makes the vectors, and how it is run."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from pipeline.config.section import Section, resolve_path


class EncoderConfig(Section):
    """Which image-text model makes the vectors."""

    model: str  # a name that open_clip knows, "local-dir:FOLDER" or "hf-hub:ORG/NAME"
    # Of a name that open_clip knows: which weights, e.g. "laion2b_s34b_b79k".
    pretrained: str | None = None
    # Of the numbers the model computes with; "auto": bf16 on a GPU that has it, fp32 on a CPU.
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    # Of written text in pictures: "mask" reads it and fills it from its surroundings first.
    text: Literal["keep", "mask"] = "keep"
    # What computes the vectors of images: "openvino" is faster on many CPUs, and makes vectors of
    # its own encoder_id, whose last digits differ.
    runtime: Literal["torch", "openvino"] = "torch"
    batch_size: int = Field(default=256, ge=1)  # images encoded at a time on a GPU
    shard_size: int = Field(default=2048, ge=1)  # samples in a task: what a killed run repeats

    @model_validator(mode="before")
    @classmethod
    def _resolve_folder(cls, raw: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - raw TOML
        if isinstance(raw, dict) and str(raw.get("model", "")).startswith("local-dir:"):
            folder = resolve_path(Path(str(raw["model"]).removeprefix("local-dir:")), info)
            return {**raw, "model": f"local-dir:{folder}"}
        return raw

    @model_validator(mode="after")
    def _needs_weights(self) -> "EncoderConfig":
        hosted = self.model.startswith(("local-dir:", "hf-hub:"))
        if hosted and self.pretrained:
            raise ValueError("pretrained: omit it with local-dir: and hf-hub: models")
        if not hosted and not self.pretrained:
            raise ValueError("pretrained: name the weights, e.g. laion2b_s34b_b79k")
        if self.runtime == "openvino" and self.precision not in ("auto", "fp32"):
            raise ValueError('runtime: "openvino" computes with fp32; leave precision out')
        return self
