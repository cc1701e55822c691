"""A YOLO dataset in a folder: two images for training, one for validation."""

from pathlib import Path

from pipeline.config.dataset import Dataset
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.datasets import write_images

DATA_YAML = "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: person\n  1: dog\n"
LABELS = {
    "train/a": "0 0.5 0.5 0.5 0.5\n1 0.25 0.5 0.5 1.0\n",
    "train/b": "1 0.1 0.1 0.9 0.1 0.9 0.9\n",  # a triangle
}


def write_yolo_folder(
    folder: Path, *, data: str = DATA_YAML, labels: dict[str, str] | None = None
) -> Path:
    """Write images of 32 x 24 pixels, label files and data.yaml; return data.yaml."""
    write_images(folder / "images", ["train/a.png", "train/b.png", "val/c.png"])
    for name, text in (LABELS if labels is None else labels).items():
        file = folder / "labels" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "data.yaml").write_text(data)
    return folder / "data.yaml"


def ask_yolo(file: Path, **more: object) -> Dataset:
    """Ask for the dataset of a data.yaml."""
    return Dataset.model_validate({"format": "yolo", "annotations": str(file), **more})


def read_yolo(
    folder: Path, *, data: str = DATA_YAML, labels: dict[str, str] | None = None, **more: object
) -> SampleSet:
    """Write the folder and read it."""
    file = write_yolo_folder(folder, data=data, labels=labels)
    return read_samples(ask_yolo(file, **more), threads=1)
