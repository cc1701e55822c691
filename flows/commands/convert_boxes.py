"""`weakspot convert`: the dataset of an audit, as it names its categories, in another format."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.config.audit import read_dataset
from pipeline.exceptions import ConfigError
from pipeline.samples.formats import FORMATS
from pipeline.samples.read import read_samples
from pipeline.samples.written import Written


@dataclass(frozen=True)
class Converted:
    """What was written, what could not be read, and images of another size than is stated.

    Boxes of the latter are written as they were read, which may be in another frame. notes: of the
    dataset's own files.
    """

    written: Written
    rejects: pl.DataFrame
    size_differs: int
    notes: tuple[str, ...] = ()


def convert_dataset(audit_file: Path, target: Path, *, to: str) -> Converted:
    """Write the boxes of an audit's dataset to a file (COCO) or into a new folder (YOLO, VOC).

    Of the audit, [dataset] alone is read. Renames and asked categories hold; every image is
    written, also one without objects. Raises ConfigError if the dataset has no boxes or `target`
    is taken.
    """
    dataset = read_dataset(audit_file)
    boxes = dataset.boxes
    if not dataset.has_true_boxes and (boxes is None or boxes.detections is None):
        raise ConfigError(
            f"{audit_file}: the dataset has no boxes to convert; use a format with boxes, or "
            "detections = FILE in [dataset.boxes]"
        )
    wanted = FORMATS[to]
    if wanted.write is None:
        raise ConfigError(f"format {to!r} has no boxes to write")
    _check_target(target, makes=wanted.makes)
    found = read_samples(dataset.model_copy(update={"sample": "image"}))
    written = wanted.write(found, target, dataset.root)
    differing = found.counts.get("size_differs", 0)
    return Converted(written, found.rejects, differing, found.notes)


def _check_target(target: Path, *, makes: str) -> None:
    """Raise ConfigError if writing would overwrite something or has no folder to write to."""
    if makes == "file":
        if target.exists():
            raise ConfigError(f"{target}: exists already; name a new file")
        if not target.parent.is_dir():
            raise ConfigError(f"{target}: there is no folder {target.parent}; make it first")
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: exists already; name a new or empty folder")
