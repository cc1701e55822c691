"""`weakspot convert`: the dataset of an audit, as it names its categories, in another format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from pipeline.config.audit import read_audit
from pipeline.exceptions import ConfigError
from pipeline.samples.read import read_samples
from pipeline.samples.writers import Written, write_coco, write_voc, write_yolo

Format = Literal["coco", "yolo", "voc"]


@dataclass(frozen=True)
class Converted:
    """What was written, what could not be read, and images of another size than is stated.

    Boxes of the latter are written as they were read, which may be in another frame.
    """

    written: Written
    rejects: pl.DataFrame
    size_differs: int


def convert_dataset(audit_file: Path, target: Path, *, to: Format) -> Converted:
    """Write the boxes of an audit's dataset to a file (COCO) or into a new folder (YOLO, VOC).

    Renames and asked categories hold; every image is written, also one without objects. Raises
    ConfigError if the dataset has no boxes or `target` is taken.
    """
    dataset = read_audit(audit_file).dataset
    boxes = dataset.boxes
    if not dataset.has_true_boxes and (boxes is None or boxes.detections is None):
        raise ConfigError(
            f"{audit_file}: the dataset has no boxes to convert; use a format with boxes, or "
            "detections = FILE in [dataset.boxes]"
        )
    _check_target(target, to=to)
    found = read_samples(dataset.model_copy(update={"sample": "image"}))
    if to == "coco":
        written = write_coco(found, target)
    else:
        target.mkdir(parents=True, exist_ok=True)
        yolo = to == "yolo"
        written = write_yolo(found, target, root=dataset.root) if yolo else write_voc(found, target)
    return Converted(written, found.rejects, found.counts.get("size_differs", 0))


def _check_target(target: Path, *, to: Format) -> None:
    """Raise ConfigError if writing would overwrite something or has no folder to write to."""
    if to == "coco":
        if target.exists():
            raise ConfigError(f"{target}: exists already; name a new file")
        if not target.parent.is_dir():
            raise ConfigError(f"{target}: there is no folder {target.parent}; make it first")
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: exists already; name a new or empty folder")
