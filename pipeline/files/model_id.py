"""The id of a model that is applied to images: equal ids give equal results."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20  # bytes read at a time while hashing


def make_model_id(name: str, settings: Mapping[str, Any], weights: Sequence[Path]) -> str:
    """Return 16 hex digits of a model's name, its settings and the bytes of its weights.

    settings: all else that decides what it gives, versions too, as JSON can hold it.
    """
    digest = hashlib.sha256(json.dumps([name, sorted(settings.items())]).encode())
    for path in weights:
        digest.update(f"\0{path.name}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()[:16]
