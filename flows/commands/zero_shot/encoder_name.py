"""The encoder that --encoder and --pretrained name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config.audit import EncoderConfig

DEFAULT_MODEL = "ViT-B-32"
DEFAULT_WEIGHTS = "laion2b_s34b_b79k"


def name_encoder(model: str, pretrained: str | None) -> "EncoderConfig":
    """Return the settings of --encoder and --pretrained; raises EncoderError if they disagree."""
    from pipeline.config.audit import EncoderConfig
    from pipeline.exceptions import EncoderError

    hosted = model.startswith(("local-dir:", "hf-hub:"))
    if pretrained and hosted:
        raise EncoderError(f"--pretrained {pretrained}: omit it with --encoder {model}")
    if model == DEFAULT_MODEL and not pretrained:
        pretrained = DEFAULT_WEIGHTS
    if not pretrained and not hosted:
        raise EncoderError(f"--encoder {model} needs --pretrained, the name of its weights")
    return EncoderConfig(model=model, pretrained=pretrained, batch_size=32)
