"""Samples -> embeddings and measurements: one vector and the raw measures of each content key."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.embeddings.card import Encoder, EncoderCard, spec_key, weights_stamp
    from pipeline.embeddings.embed import EmbeddedBlock, embed_block, open_pool
    from pipeline.embeddings.encoder import OpenClipEncoder, load_encoder

_HOMES = {
    "EmbeddedBlock": "embed",
    "Encoder": "card",
    "EncoderCard": "card",
    "OpenClipEncoder": "encoder",
    "embed_block": "embed",
    "load_encoder": "encoder",
    "open_pool": "embed",
    "spec_key": "card",
    "weights_stamp": "card",
}

__all__ = [
    "EmbeddedBlock",
    "Encoder",
    "EncoderCard",
    "OpenClipEncoder",
    "embed_block",
    "load_encoder",
    "open_pool",
    "spec_key",
    "weights_stamp",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Import on first use: torch is loaded by those who need an encoder, by nobody else."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
