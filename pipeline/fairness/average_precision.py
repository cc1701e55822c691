"""Average precision of some of the objects, with the influence of each image on it."""

import numpy as np

from pipeline.arrays import Floats, Ints, Mask
from pipeline.statistics.estimates import NOTHING, Estimate, estimate_from_spread

_RECALLS = np.linspace(0.0, 1.0, 101)


def estimate_average_precision(
    hit: Mask, weight: Floats, *, images: Ints, object_images: Ints, image_count: int
) -> Estimate:
    """Estimate average precision at one IoU, as COCO does: precision at 101 recalls.

    hit: (d,) by falling score, whether each detection found an object; the others are false
    positives.
    weight: (d,) how much each counts, 1 for a hit. images: (d,) their images. object_images: (n,)
    the images of all objects to find.
    The interval is that of the exact area under the same curve, whose derivative by the weight of
    each image is known, so that no bootstrap is needed (the infinitesimal jackknife: Efron, The
    Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 6).
    """
    n = len(object_images)
    if n == 0:
        return NOTHING
    objects = np.bincount(object_images, minlength=image_count).astype(np.float64)
    shown = int((objects > 0).sum())  # images with objects: the clusters
    if not hit.any():
        nothing = np.zeros(image_count)
        return estimate_from_spread(0.0, nothing, n=n, most=float(n), clusters=shown, rate=True)
    found = np.cumsum(hit, dtype=np.int64)
    counted = np.cumsum(weight)
    ceiling, peak = _envelope(found / counted)
    at = np.searchsorted(found / n, _RECALLS, side="left")
    value = float(np.append(ceiling, 0.0)[at].sum() / len(_RECALLS))
    area = float(ceiling[hit].sum()) / n
    influence = _weigh_detections(hit, weight, ceiling, peak, n)
    spread = np.bincount(images, influence, minlength=image_count) - area * objects / n
    # Between the 101 recalls a step of the curve goes unseen: it is off by up to one recall.
    step = float(ceiling[hit][-1]) / len(_RECALLS)
    return estimate_from_spread(
        value, spread, n=n, most=float(n), clusters=shown, rate=True, more_variance=step**2 / 12
    )


def _envelope(precision: Floats) -> tuple[Floats, Ints]:
    """Return the best precision at or after each detection, and where that is."""
    ceiling = np.maximum.accumulate(precision[::-1])[::-1]
    peak = np.where(precision >= ceiling, np.arange(len(ceiling)), len(ceiling))
    return ceiling, np.minimum.accumulate(peak[::-1])[::-1]


def _weigh_detections(hit: Mask, weight: Floats, ceiling: Floats, peak: Ints, n: int) -> Floats:
    """Return the derivative of the area by the weight of each detection.

    The area is the sum over hits i of c_i / n, with c_i = the precision at its peak k_i: what
    weighs more at or before k_i moves c_i by weight (hit - c_i) / (all weight up to k_i); and each
    hit adds c_i / n.
    """
    at = peak[hit]
    share = 1.0 / (n * np.cumsum(weight)[at])
    gain = np.bincount(at, share, minlength=len(hit))
    loss = np.bincount(at, share * ceiling[hit], minlength=len(hit))
    after = np.cumsum(gain[::-1])[::-1], np.cumsum(loss[::-1])[::-1]
    influence: Floats = hit * (after[0] + ceiling / n) - weight * after[1]
    return influence
