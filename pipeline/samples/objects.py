"""Objects of a detection dataset: which are samples, whether their boxes fit, their rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl

from pipeline.config.dataset import CropRule
from pipeline.images.crop import find_small
from pipeline.samples.ids import make_object_key, make_sample_ids
from pipeline.samples.sample_set import STAGE, Listing
from pipeline.tables import SAMPLES


@dataclass(frozen=True)
class Fitted:
    """Images and objects after comparing boxes with pixels, what was refused, and counts.

    files: as `read_files` gave them, without refused ones. objects: the truth without boxes that
    lie outside their image.
    """

    files: pl.DataFrame
    objects: pl.DataFrame
    rejects: pl.DataFrame
    counts: Mapping[str, int]


def choose_objects(listing: Listing) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the objects that may be samples and counts of the others.

    Left out are objects of other categories than those asked for, then crowds, then ignored ones.
    """
    asked = listing.categories.filter(pl.col("asked")).select("source", "category").unique()
    own = listing.objects.join(asked, on=["source", "category"], how="semi", maintain_order="left")
    chosen = own.filter(~pl.col("crowd") & ~pl.col("ignore"))
    crowd = int(own["crowd"].sum())
    counts = {
        "other_category": listing.objects.height - own.height,
        "crowd": crowd,
        "ignored": own.height - crowd - chosen.height,
        "images_without_object": listing.images.height - chosen["path"].n_unique(),
    }
    return chosen, counts


def sort_objects(objects: pl.DataFrame) -> pl.DataFrame:
    """Sort by path, then annotation id: numbers by value, before ids that are text."""
    number = pl.col("annotation_id").cast(pl.Int64, strict=False)
    return objects.sort("path", number, "annotation_id", nulls_last=True)


def fit_objects(listing: Listing, files: pl.DataFrame, *, sample: str) -> Fitted:
    """Compare what annotations state with the pixels that are there.

    files: FILES of the images that could be read. An image of another size than its annotation
    file states is refused where crops are samples, since they would be cut in the wrong place, and
    counted in an image audit, where no pixel is cut. A box that does not touch its image is no
    object: it is refused and leaves the truth.
    """
    sized = listing.images.join(files, on="path", how="left")
    sized = sized.with_columns(
        differs=(
            (pl.col("stated_width") != pl.col("width"))
            | (pl.col("stated_height") != pl.col("height"))
        ).fill_null(value=False)
    )
    differing = sized.filter("differs")
    refused = differing if sample != "image" else differing.clear()
    outside = _find_outside(listing.objects, sized)
    keys = ["source", "annotation_id", "path"]
    return Fitted(
        files=files.join(refused, on="path", how="anti", maintain_order="left"),
        objects=listing.objects.join(outside, on=keys, how="anti", maintain_order="left"),
        rejects=pl.concat([_reject_sizes(refused), _reject_outside(outside)]),
        counts={"size_differs": differing.height},
    )


def make_object_rows(
    chosen: pl.DataFrame, parents: pl.DataFrame, crop: CropRule
) -> tuple[pl.DataFrame, int]:
    """Make `samples` rows of objects whose image is in `parents`; count those too small to embed.

    These are samples like the others: they have errors and measures, but no vector.
    """
    images = parents.select(
        "path", "width", "height", "split", "size", "mtime", pl.col("sample_id").alias("parent_id"),
        pl.col("content_key").alias("file_key"),
    )  # fmt: skip
    rows = chosen.join(images, on="path", how="inner", maintain_order="left")
    boxes = zip(rows["file_key"], rows.select("x", "y", "w", "h").iter_rows(), strict=True)
    make_key = partial(
        make_object_key,
        margin=crop.margin,
        square=crop.square,
        interpolation=crop.interpolation,
    )
    keys = [make_key(key, box) for key, box in boxes]
    ids = make_sample_ids(rows["path"].to_list(), rows["annotation_id"].to_list())
    samples = rows.with_columns(
        pl.Series("sample_id", ids, dtype=pl.String),
        pl.Series("content_key", keys, dtype=pl.String),
    )
    small = find_small(samples, min_size=crop.min_size)
    return samples.select(list(SAMPLES)), int(small.sum())


def _find_outside(objects: pl.DataFrame, sized: pl.DataFrame) -> pl.DataFrame:
    """Return the objects whose box does not touch their image, in the frame the boxes are of."""
    frames = sized.select(
        "path",
        pl.coalesce("stated_width", "width").alias("full_width"),
        pl.coalesce("stated_height", "height").alias("full_height"),
    )
    placed = objects.join(frames, on="path", how="left", maintain_order="left")
    return placed.filter(
        (pl.col("x") >= pl.col("full_width"))
        | (pl.col("y") >= pl.col("full_height"))
        | (pl.col("x") + pl.col("w") <= 0)
        | (pl.col("y") + pl.col("h") <= 0)
    )


def _reject_sizes(refused: pl.DataFrame) -> pl.DataFrame:
    stated = [pl.col("stated_width"), pl.lit(" x "), pl.col("stated_height")]
    real = [pl.col("width"), pl.lit(" x "), pl.col("height")]
    reason = pl.concat_str(
        pl.lit("the annotations are of an image of "),
        *stated,
        pl.lit(" pixels, this one has "),
        *real,
    )
    return refused.select("path", pl.lit(STAGE).alias("stage"), reason.alias("reason"))


def _reject_outside(outside: pl.DataFrame) -> pl.DataFrame:
    reason = pl.concat_str(
        pl.lit("annotation "), pl.col("annotation_id"), pl.lit(": the box lies outside the image")
    )
    return outside.select("path", pl.lit(STAGE).alias("stage"), reason.alias("reason"))
