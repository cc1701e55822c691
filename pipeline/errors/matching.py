"""Detections matched to true boxes as COCO's evaluation does it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from hotcoco import COCO, COCOeval

from pipeline.arrays import Floats, Ints, Mask
from pipeline.files.gc_pause import pause_gc

GROUPS_PER_BATCH = 2_000  # bounds the memory of the evaluator's per-image results
_EVERY_AREA = [[0.0, 1e15]]  # pixels squared: no box is left out for its size


@dataclass(frozen=True)
class Matches:
    """Which of n true boxes and m detections are matched with each other.

    detection_of: (n,) the position of the detection that matches each true box, or -1; of an
    ignored box the last of those that match it. truth_of: (m,) the position of the true box,
    counted or ignored, that each detection matches, or -1. They are COCO's gtMatches and dtMatches
    as positions.
    """

    detection_of: Ints
    truth_of: Ints


@pause_gc()
def match_boxes(
    *,
    truth_group: Ints,
    truth_boxes: Floats,
    truth_ignored: Mask,
    detection_group: Ints,
    detection_boxes: Floats,
    scores: Floats,
    iou: float,
    groups_per_batch: int = GROUPS_PER_BATCH,
) -> Matches:
    """Match the detections of each group to its true boxes.

    truth_group: (n,), detection_group: (m,): any numbers; only boxes of one group (an image and a
    category) are matched. Boxes are (n, 4) and (m, 4) as x, y, width, height. truth_ignored: (n,)
    crowds and ignored boxes: they are matched last, each with any number of detections, as in COCO.
    Detections are taken by falling score, equal ones in the given order; each takes the free true
    box of highest intersection over union, which must be `iou` or more. The number of detections is
    not limited. Source: Lin et al. 2014, as in pycocotools' `COCOeval.evaluateImg`.
    """
    return match_boxes_at(
        truth_group=truth_group,
        truth_boxes=truth_boxes,
        truth_ignored=truth_ignored,
        detection_group=detection_group,
        detection_boxes=detection_boxes,
        scores=scores,
        ious=[iou],
        groups_per_batch=groups_per_batch,
    )[0]


@pause_gc()
def match_boxes_at(
    *,
    truth_group: Ints,
    truth_boxes: Floats,
    truth_ignored: Mask,
    detection_group: Ints,
    detection_boxes: Floats,
    scores: Floats,
    ious: Sequence[float],
    groups_per_batch: int = GROUPS_PER_BATCH,
) -> list[Matches]:
    """Match as `match_boxes` does, at each of several overlaps."""
    found = [
        Matches(
            detection_of=np.full(len(truth_group), -1, dtype=np.int64),
            truth_of=np.full(len(detection_group), -1, dtype=np.int64),
        )
        for _ in ious
    ]
    # Nothing can match in a group without truth or without detections.
    groups = np.intersect1d(truth_group, detection_group)  # (g,) rising
    truth_order = np.argsort(truth_group, kind="stable")
    detection_order = np.argsort(detection_group, kind="stable")
    for start in range(0, len(groups), groups_per_batch):
        batch = groups[start : start + groups_per_batch]
        truth = _take_groups(truth_group, truth_order, batch)
        detections = _take_groups(detection_group, detection_order, batch)
        results = np.column_stack(
            [
                np.searchsorted(batch, detection_group[detections]) + 1,
                detection_boxes[detections],
                scores[detections],
                np.ones(len(detections)),
            ]
        )
        made = _match_batch(
            np.searchsorted(batch, truth_group[truth]),
            truth_boxes[truth],
            truth_ignored[truth],
            results,
            ious=ious,
        )
        for whole, (own_detection, own_truth) in zip(found, made, strict=True):
            matched = own_detection >= 0
            whole.detection_of[truth[matched]] = detections[own_detection[matched]]
            matched = own_truth >= 0
            whole.truth_of[detections[matched]] = truth[own_truth[matched]]
    return found


def _take_groups(group: Ints, order: Ints, batch: Ints) -> Ints:
    """Return the positions whose group is in `batch` (rising); `order` sorts by group."""
    low = np.searchsorted(group, batch[0], sorter=order)
    high = np.searchsorted(group, batch[-1], side="right", sorter=order)
    positions = order[low:high]
    return positions[np.isin(group[positions], batch)]


def _match_batch(
    group: Ints, boxes: Floats, ignored: Mask, results: Floats, *, ious: Sequence[float]
) -> list[tuple[Ints, Ints]]:
    """Match one batch of groups from 0. results: (m, 7) as COCO.load_res takes it, groups from 1.

    Returns what `Matches` has, for each overlap, in positions of the batch.
    """
    truth = COCO.from_arrays(
        [{"id": number + 1} for number in range(int(group.max()) + 1)],
        [{"id": 1, "name": "object"}],
        group + 1,
        np.ones(len(group), dtype=np.int64),
        boxes,
        ids=np.arange(1, len(group) + 1),
        area=boxes[:, 2] * boxes[:, 3],
        iscrowd=ignored.astype(np.int64),
    )
    evaluation = COCOeval(truth, truth.load_res(results), "bbox")
    settings = evaluation.params
    settings.iou_thrs = list(ious)
    settings.area_rng = _EVERY_AREA
    settings.area_rng_lbl = ["all"]
    settings.max_dets = [len(results)]
    evaluation.evaluate()
    images = [image for image in evaluation.eval_imgs if image is not None]
    true_ids = _flatten(image["gtIds"] for image in images)
    ids = _flatten(image["dtIds"] for image in images)
    return [
        (
            _place_matches(true_ids, _flatten(i["gtMatches"][k] for i in images), count=len(group)),
            _place_matches(ids, _flatten(i["dtMatches"][k] for i in images), count=len(results)),
        )
        for k in range(len(ious))
    ]


def _flatten(lists: Iterable[list[int]]) -> Ints:
    return np.fromiter(chain.from_iterable(lists), dtype=np.int64)


def _place_matches(ids: Ints, matches: Ints, *, count: int) -> Ints:
    """Return (count,) positions of matches, -1 for none; ids and matches count from 1."""
    placed = np.full(count, -1, dtype=np.int64)
    placed[ids - 1] = matches - 1
    return placed
