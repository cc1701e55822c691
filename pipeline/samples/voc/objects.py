"""Objects of Pascal VOC files: texts as written become boxes and flags, or faults."""

from dataclasses import dataclass

import polars as pl

from pipeline.config.dataset import CORNERS
from pipeline.samples.voc.annotation_file import VOC_OBJECT
from pipeline.tables import OBJECTS, Schema

PLACED: Schema = {  # an object as written, and where
    "source": pl.Int64(),
    "path": pl.String(),  # of its image
    "number": pl.Int64(),  # in its file, from 1
    "xml": pl.String(),
    **dict.fromkeys(VOC_OBJECT, pl.String()),
}
EXTRA = ("truncated", "occluded", "pose")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_LARGEST_SIDE = 1e6  # pixels, as for COCO
_LONGEST_NAME = 200  # characters
_UNSAID = ("", "unspecified", "unknown")


@dataclass(frozen=True)
class PlacedObjects:
    """OBJECTS with the columns EXTRA as text, and path and reason of objects not usable.

    at_zero: how many annotation files have an object with a corner from 0 to below 1, which files
    that count from 1 do not have.
    """

    objects: pl.DataFrame
    faults: pl.DataFrame
    at_zero: int


def place_objects(written: pl.DataFrame, *, corners: str = "from-1") -> PlacedObjects:
    """Turn the texts of objects into boxes of pixels and flags.

    written: PLACED and image_id. corners: what they mean, a key of CORNERS. Flags are 0 or 1;
    truncated and occluded become "yes" and "no", a pose that is not said null.
    """
    first, more = CORNERS[corners]
    sides = [pl.col(name).cast(pl.Float64, strict=False).alias(name) for name in _CORNERS]
    numbers = written.with_columns(*[pl.col(name).alias(f"{name}_text") for name in _CORNERS])
    numbers = numbers.with_columns(*sides).with_columns(
        x=pl.col("xmin") - first,
        y=pl.col("ymin") - first,
        w=pl.col("xmax") - pl.col("xmin") + more,
        h=pl.col("ymax") - pl.col("ymin") + more,
        ignore=_flag("difficult"),
        crowd=pl.lit(False),  # noqa: FBT003 - a literal of an expression
        annotation_id=pl.format("{}:{}", "image_id", "number"),
    )
    checked = numbers.with_columns(_explain_fault().alias("reason"))
    good = checked.filter(pl.col("reason").is_null())
    said = pl.when(~pl.col("pose").str.to_lowercase().is_in(_UNSAID)).then("pose")
    flags = [
        pl.when(_flag(name)).then(pl.lit("yes")).when(~_flag(name)).then(pl.lit("no")).alias(name)
        for name in ("truncated", "occluded")
    ]
    bad = checked.filter(pl.col("reason").is_not_null())
    reason = pl.format("{} object {}: {}", "xml", "number", "reason")
    at_zero = (pl.min_horizontal("xmin", "ymin") >= 0) & (pl.min_horizontal("xmin", "ymin") < 1)
    return PlacedObjects(
        objects=good.with_columns(
            *flags, said.alias("pose"), ignore=pl.col("ignore").fill_null(value=False)
        ).select([*OBJECTS, *EXTRA]),
        faults=bad.select("path", reason.alias("reason")),
        at_zero=good.filter(at_zero)["xml"].n_unique(),
    )


def _flag(name: str) -> pl.Expr:
    """Return whether a flag is set; null where it is missing or neither 0 nor 1."""
    text = pl.col(name).str.to_lowercase()
    return (
        pl.when(text.is_in(["1", "true", "yes"]))
        .then(True)  # noqa: FBT003 - a literal of an expression
        .when(text.is_in(["0", "false", "no"]))
        .then(False)  # noqa: FBT003 - a literal of an expression
    )


def _explain_fault() -> pl.Expr:
    """Return why an object cannot be used, null where it can."""
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=False) for name in _CORNERS)
    near = pl.all_horizontal(pl.col(name).abs() <= _LARGEST_SIDE for name in _CORNERS)
    shown = pl.concat_str(
        *[pl.col(f"{name}_text").str.slice(0, 12).fill_null("nothing") for name in _CORNERS],
        separator=" ",
    )
    return (
        pl.when(pl.col("category").is_null())
        .then(pl.lit("<name> is missing"))
        .when(pl.col("category").str.len_chars() > _LONGEST_NAME)
        .then(pl.lit(f"<name> is longer than {_LONGEST_NAME} characters"))
        .when(~finite)
        .then(pl.format("<bndbox> is '{}', expected four finite numbers", shown))
        .when((pl.col("w") <= 0) | (pl.col("h") <= 0))
        .then(
            pl.format("the box is {} x {} pixels, expected sides above 0", pl.col("w"), pl.col("h"))
        )
        .when(~near)
        .then(pl.format("<bndbox> is '{}', beyond a million pixels", shown))
        .when(pl.col("difficult").is_not_null() & pl.col("ignore").is_null())
        .then(
            pl.format("<difficult> is '{}', expected 0 or 1", pl.col("difficult").str.slice(0, 20))
        )
    )
