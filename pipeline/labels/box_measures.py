"""The position of an object's box in its image and among its neighbours, as numbers."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints

BORDER = 1.0  # pixels from the image's side that still touch it: annotators and rounding miss it


def measure_boxes(
    measure: str, samples: pl.DataFrame, objects: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return sample_id and one of BOX_MEASURES of each sample's box, in their order.

    samples: of the samples table. objects: of the objects table, the possible neighbours in a
    crowd beside the samples themselves. Measures are of the part of a box inside its image:
    box_truncated is how many sides of the image it touches within a pixel, 0 to 4; box_center_x
    and box_center_y where its center is, 0 (left, top) to 1; box_relative_area its share of the
    image; box_crowding the largest share of it that the box of one neighbour covers, 0 to 1.
    A region annotated as a crowd is no neighbour: it is not the box of one object.
    A whole image, and a box without a part inside its image, give null.
    """
    if measure == "box_crowding":
        return _measure_crowding(samples, objects)
    return samples.select("sample_id", value=pl.when(_is_inside()).then(_place(measure)))


def find_overlaps(images: Ints, boxes: Floats) -> Floats:
    """Return for each box the largest share of it that another box of its image covers.

    images: (n,) any numbers. boxes: (n, 4) left, top, right, bottom. Returns (n,) from 0 to 1,
    NaN for a box without area. Memory grows with n, not with the pairs: sorted by their left side,
    all boxes are compared with the next one, then with the one after it, and so on; a box is done
    at the first that starts to its right.
    """
    order = np.lexsort((boxes[:, 0], images))
    image = images[order]
    left, top, right, bottom = np.ascontiguousarray(boxes[order].T)
    covered = np.zeros(len(image))  # area of the largest overlap so far
    first = np.arange(len(image))
    step = 0
    while first.size:
        step += 1
        first = first[: np.searchsorted(first, len(image) - step)]
        second = first + step
        near = (image[second] == image[first]) & (left[second] < right[first])
        first, second = first[near], second[near]
        wide = np.minimum(right[first], right[second]) - left[second]
        high = np.minimum(bottom[first], bottom[second]) - np.maximum(top[first], top[second])
        shared = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
        covered[first] = np.maximum(covered[first], shared)
        covered[second] = np.maximum(covered[second], shared)
    area = np.maximum(right - left, 0.0) * np.maximum(bottom - top, 0.0)
    shares = np.full(len(image), np.nan)
    np.divide(covered, area, out=shares, where=area > 0)
    found = np.empty_like(shares)
    found[order] = np.minimum(shares, 1.0)
    return found


def _measure_crowding(samples: pl.DataFrame, objects: pl.DataFrame | None) -> pl.DataFrame:
    columns = ["path", "x", "y", "w", "h"]
    images = samples.group_by("path", maintain_order=True).agg(pl.col("width", "height").first())
    images = images.with_row_index("image")
    boxes = samples.select(columns)
    if objects is not None:
        others = objects.filter(~pl.col("crowd")).join(
            samples, on=["path", "annotation_id"], how="anti"
        )
        boxes = pl.concat([boxes, others.select(columns)])
    placed = boxes.join(images, on="path", how="left", maintain_order="left").with_row_index()
    known = placed.filter(_is_inside())
    corners = known.select(*_list_sides()).to_numpy()
    shares = find_overlaps(known["image"].cast(pl.Int64).to_numpy(), corners)
    values = np.full(placed.height, np.nan)
    values[known["index"].to_numpy()] = shares
    own = pl.Series(values[: samples.height]).fill_nan(None)
    return samples.select("sample_id", value=own)


def _list_sides() -> tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]:
    """Return left, top, right and bottom of the part of a box that is inside its image."""
    return (
        pl.max_horizontal("x", 0.0).alias("left"),
        pl.max_horizontal("y", 0.0).alias("top"),
        pl.min_horizontal(pl.col("x") + pl.col("w"), "width").alias("right"),
        pl.min_horizontal(pl.col("y") + pl.col("h"), "height").alias("bottom"),
    )


def _is_inside() -> pl.Expr:
    """Return whether there is a box with a part inside an image of known size."""
    left, top, right, bottom = _list_sides()
    whole = pl.any_horizontal(pl.col("x", "y", "w", "h", "width", "height").is_null())
    return ~whole & (left < right) & (top < bottom)


def _place(measure: str) -> pl.Expr:
    left, top, right, bottom = _list_sides()
    touches = [
        left <= BORDER,
        top <= BORDER,
        right >= pl.col("width") - BORDER,
        bottom >= pl.col("height") - BORDER,
    ]
    measures = {
        "box_truncated": pl.sum_horizontal(side.cast(pl.Float64) for side in touches),
        "box_center_x": (left + right) / 2 / pl.col("width"),
        "box_center_y": (top + bottom) / 2 / pl.col("height"),
        "box_relative_area": (right - left) * (bottom - top) / (pl.col("width") * pl.col("height")),
    }
    return measures[measure]
