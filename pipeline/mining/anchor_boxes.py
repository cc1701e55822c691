"""Where objects usually are: the windows that an image without boxes is searched through."""

import numpy as np
import polars as pl

from pipeline.arrays import Floats, Ints

_MOST = 5_000  # boxes that the centers are fitted to
_STEPS = 50
_LEAST_OVERLAP = 0.35  # IoU from which a window shows an object


def choose_anchors(boxes: Floats, *, count: int, seed: int = 0) -> Floats:
    """Return at most `count` typical boxes, as shares of the image's sides.

    boxes: (n, 4) x, y, width and height as shares of their image's width and height. The typical
    ones are centers of k-means, as the anchors of YOLO9000 (Redmon and Farhadi, CVPR 2017, section
    2), but of places as well as of sizes. Sorted; equal boxes give fewer.
    """
    rng = np.random.default_rng(seed)
    rows = boxes if len(boxes) <= _MOST else boxes[rng.choice(len(boxes), _MOST, replace=False)]
    centers = np.unique(_spread(rows, count, rng), axis=0)
    for _ in range(_STEPS):
        nearest = _find_nearest(rows, centers)
        moved = np.stack([rows[nearest == one].mean(axis=0) for one in np.unique(nearest)])
        if moved.shape == centers.shape and np.allclose(moved, centers, atol=1e-6):
            break
        centers = moved
    return np.asarray(np.unique(centers.round(4), axis=0), np.float64)


def _spread(rows: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return first centers that lie apart: k-means++ (Arthur and Vassilvitskii 2007)."""
    centers = rows[[int(rng.integers(len(rows)))]]
    while len(centers) < min(count, len(rows)):
        distance = _measure_distances(rows, centers).min(axis=1)
        if distance.sum() <= 0:
            break
        one = int(rng.choice(len(rows), p=distance / distance.sum()))
        centers = np.vstack([centers, rows[[one]]])
    return centers


def _find_nearest(rows: Floats, centers: Floats) -> Ints:
    nearest: Ints = _measure_distances(rows, centers).argmin(axis=1)
    return nearest


def _measure_distances(rows: Floats, centers: Floats) -> Floats:
    """Return (n, k) squared distances of boxes, by their middles and sides."""
    own, other = _to_middles(rows), _to_middles(centers)
    distances: Floats = ((own[:, None] - other[None]) ** 2).sum(axis=2)
    return distances


def _to_middles(boxes: Floats) -> Floats:
    return np.column_stack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]])


def cut_windows(images: pl.DataFrame, anchors: Floats) -> pl.DataFrame:
    """Return the windows of images: image_id, path, x, y, w, h in whole pixels, by image.

    images: sample_id, path, width, height. anchors: as `choose_anchors` returns them. Windows of
    less than a pixel, and equal ones of one image, are left out.
    """
    boxes = pl.DataFrame(anchors, schema=["ax", "ay", "aw", "ah"], orient="row")
    rows = images.select("path", "width", "height", image_id="sample_id").join(boxes, how="cross")
    width, height = pl.col("width"), pl.col("height")
    left, top = (pl.col("ax") * width).round(), (pl.col("ay") * height).round()
    right = ((pl.col("ax") + pl.col("aw")) * width).round().clip(upper_bound=width)
    bottom = ((pl.col("ay") + pl.col("ah")) * height).round().clip(upper_bound=height)
    rows = rows.with_columns(x=left.clip(0), y=top.clip(0)).with_columns(
        w=right - pl.col("x"), h=bottom - pl.col("y")
    )
    kept = rows.filter((pl.col("w") >= 1) & (pl.col("h") >= 1))
    sides = [pl.col(name).cast(pl.Float64) for name in "xywh"]
    windows = kept.select("image_id", "path", *sides)
    return windows.unique(maintain_order=True).sort("image_id", *"xywh")


def match_windows(windows: pl.DataFrame, objects: pl.DataFrame) -> pl.Series:
    """Return (n,) the sample_id of the object that each window shows, null where it shows none.

    windows: as `cut_windows` returns them. objects: sample_id, parent_id (the image), x, y, w, h.
    A window shows the object that it shares most with, from an IoU of 0.35 on.
    """
    numbered = windows.with_row_index("row")
    boxes = objects.select(
        "sample_id", "parent_id", *(pl.col(name).alias(f"o{name}") for name in "xywh")
    )
    pairs = numbered.join(boxes, left_on="image_id", right_on="parent_id")
    shared = _measure_shared("x", "w") * _measure_shared("y", "h")
    union = pl.col("w") * pl.col("h") + pl.col("ow") * pl.col("oh") - pl.col("shared")
    pairs = pairs.with_columns(shared=shared).with_columns(iou=pl.col("shared") / union)
    best = (
        pairs.filter(pl.col("iou") >= _LEAST_OVERLAP)
        .sort("row", "iou", "sample_id", descending=[False, True, False])
        .unique("row", keep="first", maintain_order=True)
    )
    return numbered.join(best.select("row", shown="sample_id"), on="row", how="left",
                         maintain_order="left")["shown"]  # fmt: skip


def _measure_shared(start: str, side: str) -> pl.Expr:
    """Return the length that two boxes share along one side."""
    end = pl.min_horizontal(pl.col(start) + pl.col(side), pl.col(f"o{start}") + pl.col(f"o{side}"))
    return (end - pl.max_horizontal(start, f"o{start}")).clip(lower_bound=0)
