"""Boxes in another frame than the pixels of their image: found by the overlap they would have."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.arrays import Floats
from pipeline.errors.overlaps import measure_overlap
from pipeline.tables import BOX

IMAGES = 200  # that are tried at most, spread evenly over those with objects and detections
DETECTIONS = 50  # of an image, those of highest score
LEAST_OBJECTS = 10  # fewer fit some frame by chance
GAIN = 0.25  # the share of objects that must be reached in addition
_FACTORS = (0.1, 0.125, 0.2, 0.25, 1 / 3, 0.4, 0.5, 0.6, 0.625, 2 / 3, 0.75, 0.8, 0.9)
_SIDES = (224, 256, 300, 320, 384, 416, 448, 512, 600, 640, 768, 800, 1000, 1024, 1280, 1333)

Frame = tuple[str, Floats]  # in words, and the boxes (m, 4) brought to pixels of the image


@dataclass(frozen=True)
class OtherFrame:
    """A frame in which more boxes would fit: in words, and the shares (0 to 1) of objects reached.

    share: as the boxes are; share_there: if they were brought from that frame to pixels.
    """

    words: str
    share: float
    share_there: float


def find_other_frame(
    objects: pl.DataFrame, detections: pl.DataFrame, sizes: pl.DataFrame, *, iou: float
) -> OtherFrame | None:
    """Return the frame in which the boxes seem to be, or None if that is pixels of the image.

    objects: path, x, y, w, h of those that count. detections: path, x, y, w, h, score. sizes: path,
    width, height in pixels (null: unknown). The frames tried are shares of the image, common
    factors, images resized to a common side, and corners written as sides. A frame counts if with
    it detections of any category reach `iou` with GAIN more of the objects.
    """
    pairs = _pair_up(objects, detections, sizes)
    count = pairs["object"].n_unique()
    if count < LEAST_OBJECTS:
        return None
    true_boxes = pairs.select(*BOX).to_numpy()  # (n, 4)
    boxes = pairs.select(f"{side}_detected" for side in BOX).to_numpy()
    crowds = np.zeros(len(boxes), dtype=np.bool_)
    starts = np.flatnonzero(pairs["object"].is_first_distinct().to_numpy())

    def reach(candidate: Floats) -> float:
        overlap = measure_overlap(candidate, true_boxes, crowds=crowds)
        return float((np.maximum.reduceat(overlap, starts) >= min(iou, 1 - 1e-10)).mean())

    share = reach(boxes)
    shares = {words: reach(candidate) for words, candidate in _list_frames(boxes, pairs)}
    best = max(shares, key=lambda words: shares[words])
    if shares[best] < share + GAIN:
        return None
    return OtherFrame(best, share, shares[best])


def find_highest_overlap(objects: pl.DataFrame, detections: pl.DataFrame) -> float:
    """Return the highest intersection over union of a detection of any category with an object.

    objects, detections: as for `find_other_frame`; IMAGES of their images are compared. 0
    where no image has both.
    """
    pairs = _pair_up(objects, detections, None)
    if pairs.is_empty():
        return 0.0
    boxes = pairs.select(f"{side}_detected" for side in BOX).to_numpy()
    crowds = np.zeros(len(boxes), dtype=np.bool_)
    return float(measure_overlap(boxes, pairs.select(*BOX).to_numpy(), crowds=crowds).max())


def _pair_up(
    objects: pl.DataFrame, detections: pl.DataFrame, sizes: pl.DataFrame | None
) -> pl.DataFrame:
    """Return all pairs of an object and a detection of some images, sorted by object."""
    paths = objects.join(detections, on="path", how="semi")["path"].unique().sort()
    chosen = paths.gather_every(max(1, -(-len(paths) // IMAGES)))
    best = (
        detections.filter(pl.col("path").is_in(chosen.implode()))
        .sort("path", "score", descending=[False, True], maintain_order=True)
        .group_by("path", maintain_order=True)
        .head(DETECTIONS)
    )
    own = objects.filter(pl.col("path").is_in(chosen.implode())).with_row_index("object")
    named = best.select("path", pl.col(*BOX).name.suffix("_detected"))
    pairs = own.select("object", "path", *BOX).join(named, on="path", how="inner")
    if sizes is None:
        return pairs
    known = sizes.select("path", pl.col("width", "height").cast(pl.Float64)).unique("path")
    return pairs.join(known, on="path", how="left").sort("object", maintain_order=True)


def _list_frames(boxes: Floats, pairs: pl.DataFrame) -> Iterator[Frame]:
    width = pairs["width"].fill_null(np.nan).to_numpy()
    height = pairs["height"].fill_null(np.nan).to_numpy()
    longest = np.maximum(width, height)

    def stretch(across: Floats | float, down: Floats | float) -> Floats:
        sides = np.broadcast_arrays(across, down, across, down)
        return np.asarray(boxes * np.column_stack([np.resize(one, len(boxes)) for one in sides]))

    yield "shares of the image (0 to 1), not pixels", stretch(width, height)
    yield "shares of the image in percent, not pixels", stretch(width / 100, height / 100)
    corners = boxes.copy()
    corners[:, 2:] -= boxes[:, :2]
    corners[:, 2:] = np.maximum(corners[:, 2:], 0)
    yield "corners (x1, y1, x2, y2), not x, y, width, height", corners
    yield from _list_factors(stretch)
    for side in _SIDES:
        words = f"at another scale, those of an image of {side} x {side} pixels"
        yield words, stretch(width / side, height / side)
        words = f"at another scale, those of an image whose longer side has {side} pixels"
        yield words, stretch(longest / side, longest / side)


def _list_factors(stretch: Callable[[float, float], Floats]) -> Iterator[Frame]:
    for factor in (*_FACTORS, *(1 / factor for factor in _FACTORS)):
        words = f"at another scale, {factor:.3g} times that of the images"
        yield words, stretch(1 / factor, 1 / factor)
