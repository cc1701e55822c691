"""Labels from numbers: a measure of each sample, cut into bins."""

import itertools
from collections.abc import Iterable

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.exceptions import ConfigError, TableError
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.bin_checks import list_cuts
from pipeline.labels.box_measures import measure_boxes
from pipeline.labels.measure_names import (
    BOX_MEASURES,
    RAW_MEASURES,
    SIZE_MEASURES,
    TEXT_MEASURES,
)
from pipeline.tables import LABELS, check
from pipeline.vocabulary import UNKNOWN

VALUES = {"sample_id": pl.String(), "value": pl.Float64()}


def get_raw_measure(attribute: Attribute) -> str | None:
    """Return the measure that the attribute needs from the measurements table, or None."""
    return attribute.measure if attribute.measure in RAW_MEASURES else None


def needs_boxes(attribute: Attribute) -> bool:
    """Return whether the attribute is measured of boxes, which a whole image does not have."""
    return attribute.measure in BOX_MEASURES


def list_same_measure(
    attributes: Iterable[Attribute], *, of_objects: bool
) -> tuple[tuple[str, ...], ...]:
    """Return the names of attributes that bin one measure, a set of names for each such measure.

    Their values say nearly the same twice, so they are not combined. of_objects: whether the
    samples are objects, whose images have measures of their own; `height` is then `box_height`.
    """
    by_measure: dict[tuple[str, str], list[str]] = {}
    for one in attributes:
        if one.measure is not None:
            of = one.applies_to if of_objects else ""
            by_measure.setdefault((one.measure.removeprefix("box_"), of), []).append(one.name)
    return tuple(tuple(names) for names in by_measure.values() if len(names) > 1)


def needs_neighbors(attribute: Attribute) -> bool:
    """Return whether the attribute's numbers depend on the other objects of the image."""
    return attribute.measure == "box_crowding"


def needs_text(attribute: Attribute) -> bool:
    """Return whether the attribute is measured of the text that is read in an image."""
    return attribute.measure in TEXT_MEASURES


def refuse_whole_images(attributes: Iterable[Attribute]) -> None:
    """Raise ConfigError naming the attributes that need boxes, for an audit of whole images."""
    names = [f"{a.name!r} (measure {a.measure!r})" for a in attributes if needs_boxes(a)]
    if names:
        raise ConfigError(
            f"attribute {', '.join(names)}: measured of the boxes of objects, and whole images "
            'have none; leave it out, or audit objects with [dataset] sample = "object"'
        )


def take_values(
    attribute: Attribute,
    samples: pl.DataFrame,
    measurements: pl.DataFrame | None = None,
    *,
    objects: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return sample_id and the number that the attribute bins, one row a sample, in their order.

    samples: of the samples table; a size measure is that of the box or, for a whole image, of
    the image, in pixels. measurements: of one measure_version; needed by measures of pixels and of
    text. objects: of the objects table, the possible neighbours in a crowd; read for crowding
    alone. A sample without a number gets null. Raises TableError when measurements lack or repeat,
    and ConfigError when a measure of boxes is asked of whole images.
    """
    if needs_boxes(attribute):
        if samples["w"].null_count() == samples.height and not samples.is_empty():
            refuse_whole_images([attribute])
        return measure_boxes(str(attribute.measure), samples, objects)
    if attribute.measure in SIZE_MEASURES:
        return samples.select("sample_id", value=_measure_size(attribute.measure))
    if measurements is None:
        message = f"attribute {attribute.name!r} needs {attribute.measure!r} from the measurements"
        raise TableError(f"{message} table; none were given")
    taken = measurements.filter(pl.col("measure") == attribute.measure)
    if taken["content_key"].is_duplicated().any():
        versions = ", ".join(sorted(taken["measure_version"].unique().to_list()))
        message = f"table 'measurements': {attribute.measure!r} is there twice for one content_key"
        raise TableError(f"{message} (measure_version {versions}); give one version")
    joined = samples.select("sample_id", "content_key").join(
        taken.select("content_key", "value"), on="content_key", how="left", maintain_order="left"
    )
    return joined.select("sample_id", "value")


def resolve_edges(attribute: Attribute, values: pl.Series) -> tuple[float, ...]:
    """Return the increasing numbers that separate the bins: fixed ones, or quantiles of `values`.

    Quantiles are rounded to as few digits as keep every bin filled, so that the numbers shown
    are the numbers used; equal ones merge, and an edge that all values lie under is dropped.
    """
    if attribute.edges is not None:
        return list_cuts(attribute.edges)
    known = np.sort(values.cast(pl.Float64).drop_nulls().to_numpy())
    known = known[np.isfinite(known)]
    if not known.size or attribute.quantiles is None:
        return ()
    inner = np.arange(1, attribute.quantiles) / attribute.quantiles
    # A share of the values lies at or below its edge, so an edge is one of the values.
    exact = np.unique(np.quantile(known, inner, method="inverted_cdf"))
    exact = exact[exact < known[-1]]
    for digits in range(3, 17):
        rounded = np.array([float(f"{edge:.{digits}g}") for edge in exact])
        if _fills_every_bin(known, rounded):
            return tuple(rounded.tolist())
    return tuple(exact.tolist())


def list_bins(attribute: Attribute, edges: tuple[float, ...]) -> list[str]:
    """Return the names of the bins between `edges`, lowest first.

    The attribute's own names where they fit, else intervals such as "(32, 128]".
    """
    if attribute.names and len(attribute.names) == len(edges) + 1:
        return list(attribute.names)
    if not edges:
        return ["any"]
    shown = [_show(edge) for edge in edges]
    between = [f"({low}, {high}]" for low, high in itertools.pairwise(shown)]
    return [f"<= {shown[0]}", *between, f"> {shown[-1]}"]


def bin_values(
    attribute: Attribute, values: pl.DataFrame, *, edges: tuple[float, ...], label_id: str
) -> pl.DataFrame:
    """Give each sample the bin its number lies in; an edge belongs to the bin below it.

    values: sample_id and value, as `take_values` returns. Returns the `labels` table, one row a
    sample in the given order, without score and margin; null and NaN give "unknown".
    """
    frame = check(values, VALUES, table="values of a measured attribute")
    bins = pl.Series(list_bins(attribute, edges), dtype=pl.String)
    place = np.searchsorted(np.asarray(edges), frame["value"].fill_null(0).to_numpy(), side="left")
    number = pl.col("value")
    missing = number.is_null() | number.is_nan()
    names = pl.when(missing).then(pl.lit(UNKNOWN)).otherwise(bins.gather(place))
    return check(
        frame.select(
            "sample_id",
            attribute=pl.lit(attribute.name),
            source=pl.lit("measured"),
            value=names,
            score=None,
            margin=None,
            label_id=pl.lit(label_id),
        ),
        LABELS,
        table="labels",
    )


def _measure_size(measure: str) -> pl.Expr:
    width = pl.coalesce("w", pl.col("width").cast(pl.Float64))
    height = pl.coalesce("h", pl.col("height").cast(pl.Float64))
    sizes = {
        "width": width,
        "height": height,
        "aspect_ratio": pl.when(height > 0).then(width / height),
        "area": width * height,
    }
    return sizes[measure.removeprefix("box_")]


def _fills_every_bin(known: Floats, edges: Floats) -> bool:
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return bool((counts > 0).all() and (np.diff(edges) > 0).all())


def _show(number: float) -> str:
    """Write a number in full, without a trailing .0, so that different edges read differently."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
