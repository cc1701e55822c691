"""What the writers of all formats share: the true boxes of a sample set, and counts of them."""

from dataclasses import dataclass, field

import polars as pl

from pipeline.samples.sample_set import SampleSet


@dataclass(frozen=True)
class Written:
    """How many images and objects were written, and how many objects were left out, by reason."""

    images: int
    objects: int
    left_out: dict[str, int] = field(default_factory=dict)


def take_truth(sample_set: SampleSet) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Return the images, the objects in them that are of asked categories, and counts of others."""
    samples = sample_set.samples
    images = samples.filter(pl.col("parent_id").is_null()).select(
        "path", "width", "height", "split"
    )
    asked = sample_set.categories.filter(pl.col("asked")).select("source", "category").unique()
    objects = sample_set.objects
    own = objects.join(asked, on=["source", "category"], how="semi", maintain_order="left")
    here = own.join(images, on="path", how="semi", maintain_order="left")
    left_out = {
        "other_category": objects.height - own.height,
        "of_images_left_out": own.height - here.height,
    }
    return images, here, left_out


def list_names(sample_set: SampleSet) -> list[str]:
    """Return the asked categories in the order of the files that name them."""
    asked = sample_set.categories.filter(pl.col("asked"))
    return asked["category"].unique(maintain_order=True).to_list()
