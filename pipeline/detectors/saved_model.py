"""A model and its processor as save_pretrained of the transformers library wrote them."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.exceptions import ConfigError

WEIGHTS = (".safetensors", ".bin")


@dataclass(frozen=True)
class SavedModel:
    """version: of the library. files: what of the folder decides on what the model finds."""

    model: Any  # transformers is optional
    processor: Any
    version: str
    files: list[Path]


def load_saved(
    folder: Path, *, name: str, model: str, processor: str, suffixes: tuple[str, ...] = (".json",)
) -> SavedModel:
    """Return what a folder holds; nothing is downloaded.

    name: of the detector, for messages. model, processor: the library's classes that load it.
    suffixes: of the files beside the weights. Raises ConfigError when transformers is not installed
    or the folder holds no such model.
    """
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"detector {name}: there is no {folder / 'config.json'}; name the folder that "
            "save_pretrained wrote, models are never downloaded"
        )
    try:
        # By name: transformers is large, and open_clip takes seconds longer where it is installed.
        library = importlib.import_module("transformers")
    except ImportError as error:
        raise ConfigError(
            f"detector {name} needs transformers, which cannot be imported ({error}); "
            "pip install 'weakspot[transformers]'"
        ) from None
    try:
        loaded = getattr(library, model).from_pretrained(folder, local_files_only=True)
        prepared = getattr(library, processor).from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        reason = str(error).split("\n")[0]
        raise ConfigError(f"detector {name}: it cannot be loaded: {reason}") from None
    kept = (*suffixes, *WEIGHTS)
    files = sorted(path for path in folder.iterdir() if path.suffix in kept and path.is_file())
    return SavedModel(loaded, prepared, library.__version__, files)
