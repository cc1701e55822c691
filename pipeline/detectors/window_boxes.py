"""Scored windows of one image -> boxes: non-maximum suppression, refinement, or one box in all."""

import numpy as np

from pipeline.arrays import Array, Floats, Ints
from pipeline.detectors.detector import Detection, sort_detections

OVERLAP = 0.6  # of the smaller one: windows that overlap more are of the same object
JOINED = 0.3  # IoU: windows that refine a box
CELLS = 32  # of the longer side, where windows are averaged to one box
_KEPT_HEAT = 0.5  # of the highest, for one box


def score_windows(
    vectors: Array, prototypes: Floats, background: Floats, *, logit_scale: float
) -> Floats:
    """Return (m, c) how sure it is that a window shows each category and not the background.

    vectors: (m, d) of windows; prototypes: (c, d), background: (b, d), all of unit length. The
    probability is the softmax over a category and the background text that fits best, at the scale
    of the encoder; categories do not compete, since one window may show several.
    """
    wanted = vectors.astype(np.float64) @ prototypes.T  # (m, c)
    other = (vectors.astype(np.float64) @ background.T).max(axis=1, keepdims=True)  # (m, 1)
    odds = np.clip(logit_scale * (wanted - other), -700, 700)
    probabilities: Floats = 1 / (1 + np.exp(-odds))
    return probabilities


def find_boxes(
    windows: Floats, scores: Floats, categories: tuple[str, ...], *, min_score: float
) -> list[Detection]:
    """Return the objects in one image, best first, equal ones by category and position.

    windows: (m, 4) x, y, width, height. scores: (m, c) as of `score_windows`. In each category the
    best window is taken and those that overlap it by more than OVERLAP of the smaller one are left
    out, until none above `min_score` is left. Its box is the mean of the windows of an IoU of
    JOINED or more with it, weighted by how far they are above `min_score` (weighted boxes fusion,
    Solovyev, Wang and Gabruseva, Image and Vision Computing 2021, equation 2).
    """
    found = []
    for column, category in enumerate(categories):
        own = scores[:, column]
        likely = np.flatnonzero(own > min_score)
        boxes, sure = windows[likely], own[likely]
        for best in suppress(boxes, sure):
            x, y, w, h = _refine(boxes, sure, best, floor=min_score).tolist()
            found.append(Detection(category, x, y, w, h, float(sure[best])))
    return sort_detections(found)


def find_one_box(
    windows: Floats,
    scores: Floats,
    categories: tuple[str, ...],
    *,
    min_score: float,
    size: tuple[int, int],
) -> list[Detection]:
    """Return at most one box a category, from the mean of all windows over each cell of a grid.

    size: width and height of the image in pixels. What is above the mean of the image is scaled to
    1, and the box is around all that is above one half of it, as in Briggs, Zero-shot object
    detection with CLIP (2022). The score is that of the best window.
    """
    width, height = size
    side = max(width, height) / CELLS
    x = (np.arange(max(1, round(width / side))) + 0.5) * side
    y = (np.arange(max(1, round(height / side))) + 0.5) * side
    left, top, right, bottom = _corners(windows).T[:, :, np.newaxis]
    across = ((x >= left) & (x < right)).astype(np.float64)  # (m, columns)
    down = ((y >= top) & (y < bottom)).astype(np.float64)  # (m, rows)
    count = down.T @ across
    found = []
    for column, category in enumerate(categories):
        best = float(scores[:, column].max(initial=0.0))
        heat = (down * scores[:, column, np.newaxis]).T @ across / np.maximum(count, 1)
        above = np.clip(heat - heat.mean(), 0, None)
        if best <= min_score or above.max() <= 0:
            continue
        rows, columns = np.nonzero(above > _KEPT_HEAT * above.max())
        x0, y0 = columns.min() * side, rows.min() * side
        w = min((columns.max() + 1) * side, width) - x0
        h = min((rows.max() + 1) * side, height) - y0
        found.append(Detection(category, float(x0), float(y0), float(w), float(h), best))
    return sort_detections(found)


def suppress(boxes: Floats, scores: Floats) -> list[int]:
    """Return which boxes are kept, best first; equal scores by their order.

    boxes: (m, 4). A box goes that shares more than OVERLAP of the smaller area with a better one.
    """
    order: Ints = np.argsort(-scores, kind="stable").astype(np.int64)
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        shared = _intersect(boxes[order], boxes[best])
        smaller = np.minimum(_area(boxes[order]), _area(boxes[best]))
        order = order[shared <= OVERLAP * smaller]
    return kept


def _refine(boxes: Floats, scores: Floats, best: int, *, floor: float) -> Floats:
    """Return x, y, w, h of the weighted mean of the windows around one."""
    shared = _intersect(boxes, boxes[best])
    iou = shared / (_area(boxes) + _area(boxes[best]) - shared)
    near = iou >= JOINED
    weights = (scores[near] - floor) * iou[near]
    if weights.sum() <= 0:
        refined: Floats = boxes[best]
        return refined
    corners = np.average(_corners(boxes[near]), axis=0, weights=weights)
    return np.concatenate([corners[:2], corners[2:] - corners[:2]])


def _corners(boxes: Floats) -> Floats:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _area(boxes: Floats) -> Floats:
    area: Floats = boxes[..., 2] * boxes[..., 3]
    return area


def _intersect(boxes: Floats, one: Floats) -> Floats:
    w = np.minimum(boxes[:, 0] + boxes[:, 2], one[0] + one[2]) - np.maximum(boxes[:, 0], one[0])
    h = np.minimum(boxes[:, 1] + boxes[:, 3], one[1] + one[3]) - np.maximum(boxes[:, 1], one[1])
    shared: Floats = np.clip(w, 0, None) * np.clip(h, 0, None)
    return shared
