"""A folder of images with a COCO annotation file, read as samples."""

from pathlib import Path

from pipeline.config.dataset import Dataset
from pipeline.samples.read import read_samples
from pipeline.samples.sample_set import SampleSet
from tests.samples.datasets import write_images, write_json

BOX = (2, 3, 20, 15)


def dataset(folder: Path, **more: object) -> Dataset:
    """Ask for the images and truth.json of a folder."""
    return Dataset.model_validate(
        {
            "format": "coco",
            "images": str(folder / "images"),
            "annotations": str(folder / "truth.json"),
            **more,
        }
    )


def read(folder: Path, content: object, **more: object) -> SampleSet:
    """Write images a.png and b.png of 32 x 24 pixels and the annotations, and read them."""
    write_images(folder / "images", ["a.png", "b.png"])
    write_json(folder / "truth.json", content)
    return read_samples(dataset(folder, **more))


def reasons(found: SampleSet) -> list[str]:
    """Return why records were rejected."""
    return found.rejects["reason"].to_list()
