"""A Pascal VOC dataset in a folder: two images with their XML files."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.config.dataset import Dataset
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.datasets import write_images


def voc_object(name: str = "person", box: object = (3, 4, 22, 18), more: str = "") -> str:
    """Return an <object> with the corners of a box."""
    sides = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)  # type: ignore[call-overload] # any
    corners = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
    return f"<object><name>{name}</name>{more}<bndbox>{corners}</bndbox></object>"


def voc_file(*objects: str, filename: str = "a.png", size: str = "") -> str:
    """Return an annotation file."""
    name = f"<filename>{filename}</filename>" if filename else ""
    return f"<annotation>{name}{size}{''.join(objects)}</annotation>"


FILES = {
    "a": voc_file(voc_object(), voc_object("dog", (1, 1, 32, 24), "<difficult>1</difficult>")),
    "b": voc_file(voc_object(), filename="b.png"),
}


def write_voc_folder(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """Write images of 32 x 24 pixels and annotation files."""
    write_images(folder / "JPEGImages", ["a.png", "b.png"])
    for name, text in files.items():
        file = folder / "Annotations" / f"{name}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def ask_voc(folder: Path, **more: object) -> Dataset:
    """Ask for the dataset of a folder."""
    asked = {"images": str(folder / "JPEGImages"), "annotations": str(folder / "Annotations")}
    return Dataset.model_validate({"format": "voc", **asked, **more})


def read_voc(folder: Path, files: Mapping[str, str] = FILES, **more: object) -> SampleSet:
    """Write the folder and read it."""
    return read_samples(ask_voc(write_voc_folder(folder, files), **more), threads=1)
