"""What `weakspot init` writes: a commented audit that fits a format, and an attribute file."""

import importlib.resources
from collections.abc import Mapping
from pathlib import Path

from pipeline.exceptions import ConfigError

FILES = ("audit.toml", "my-attributes/uniform.toml")
DEFAULT = "coco"
# For each format of datasets the pieces that differ: attributes, and the outputs that fit.
PIECES: Mapping[str, tuple[str, str]] = {
    "coco": ("people", "coco-detections"),
    "yolo": ("people", "yolo-detections"),
    "voc": ("people", "coco-detections"),
    "folder": ("images", "classification"),
    "table": ("images", "table"),
}


def write_scaffold(folder: Path, *, dataset_format: str = DEFAULT) -> list[Path]:
    """Write the starter files into `folder` and return their paths.

    dataset_format: a name in PIECES; the audit is one of such a dataset. Raises ConfigError when a
    file is there already: nothing is overwritten.
    """
    targets = [folder / name for name in FILES]
    there = [str(path) for path in targets if path.exists()]
    if there:
        raise ConfigError(f"{', '.join(there)}: there already; name another folder")
    contents = (compose_audit(dataset_format), _read("my-attributes/uniform.toml"))
    for target, content in zip(targets, contents, strict=True):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    return targets


def compose_audit(dataset_format: str) -> str:
    """Return a commented audit.toml of a dataset of this format."""
    attributes, outputs = PIECES[dataset_format]
    pieces = (
        "head",
        f"dataset-{dataset_format}",
        "truth",
        "encoder",
        f"attributes-{attributes}",
        f"systems-{outputs}",
        "search",
    )
    return "".join(_read(f"{piece}.toml") for piece in pieces)


def _read(name: str) -> str:
    source = importlib.resources.files("flows.commands") / "starter"
    return (source / name).read_text(encoding="utf-8")
