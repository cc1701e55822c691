"""Error messages for models that cannot be loaded."""

import difflib
from collections.abc import Sequence

from pipeline.config.audit import EncoderConfig
from pipeline.exceptions import EncoderError


def explain_failure(config: EncoderConfig, error: Exception) -> EncoderError:
    """Say which model could not be loaded, why, and how to get it onto this machine."""
    named = config.model + (f" with weights {config.pretrained}" if config.pretrained else "")
    if config.model.startswith("local-dir:"):
        advice = (
            "expected a folder with open_clip_config.json and whole weights "
            "(open_clip_model.safetensors) that fit it; copy both again"
        )
    else:
        advice = (
            "the weights are neither in the hub's cache nor could they be downloaded; connect to "
            'the internet once, or copy them here and write model = "local-dir:FOLDER"'
        )
    detail = f"{type(error).__name__}: {error}"
    return EncoderError(f"encoder {named}: cannot be loaded: {detail}\n  {advice}")


def name_nearest(name: str, known: Sequence[str]) -> str:
    """Return "; nearest: ..." with up to three known names like `name`, else nothing."""
    lowered = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)
    return f"; nearest: {', '.join(lowered[item] for item in close)}" if close else ""
