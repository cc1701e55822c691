"""Detections matched to true boxes as COCO's evaluation does it."""

import numpy as np
import numpy.typing as npt
from hotcoco import COCO, COCOeval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GROUPS_PER_BATCH = 20_000  # bounds the memory of the evaluator's per-image results
_EVERY_AREA = [[0.0, 1e15]]  # pixels squared: no box is left out for its size


def match_boxes(
    *,
    truth_group: Ints,
    truth_boxes: Floats,
    truth_ignored: Bools,
    detection_group: Ints,
    detection_boxes: Floats,
    scores: Floats,
    iou: float,
) -> Ints:
    """Return for each true box the position of the detection that finds it, or -1.

    truth_group: (n,) from 0, detection_group: (m,): only boxes of one group (an image and a
    category) are matched. Boxes are (n, 4) and (m, 4) as x, y, width, height. truth_ignored: (n,)
    crowds and ignored boxes: detections fall to them last, as COCO has it. Detections are taken by
    falling score, equal ones in the given order; each takes the free true box of highest
    intersection over union, which must be `iou` or more. No number of detections is too many.
    Source: Lin et al. 2014, as in pycocotools' `COCOeval.evaluateImg`.
    """
    found = np.full(len(truth_group), -1, dtype=np.int64)  # (n,)
    truth_order = np.argsort(truth_group, kind="stable")
    detection_order = np.argsort(detection_group, kind="stable")
    last = int(truth_group.max(initial=-1))
    for start in range(0, last + 1, GROUPS_PER_BATCH):
        bounds = [start, start + GROUPS_PER_BATCH]
        low, high = np.searchsorted(truth_group[truth_order], bounds)
        truth = truth_order[low:high]
        low, high = np.searchsorted(detection_group[detection_order], bounds)
        detections = detection_order[low:high]
        if len(truth) and len(detections):
            found[truth] = _match_batch(
                truth_group[truth] - start,
                truth_boxes[truth],
                truth_ignored[truth],
                np.column_stack(
                    [
                        detection_group[detections] - start + 1,
                        detection_boxes[detections],
                        scores[detections],
                        np.ones(len(detections)),
                    ]
                ),
                iou=iou,
                positions=detections,
            )
    return found


def _match_batch(
    group: Ints, boxes: Floats, ignored: Bools, results: Floats, *, iou: float, positions: Ints
) -> Ints:
    """Match one batch. results: (m, 7) as COCO.load_res takes it; ids and groups start at 1."""
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
    settings.iou_thrs = [iou]
    settings.area_rng = _EVERY_AREA
    settings.area_rng_lbl = ["all"]
    settings.max_dets = [len(results)]
    evaluation.evaluate()
    found = np.full(len(group), -1, dtype=np.int64)
    for image in evaluation.eval_imgs:
        if image is not None:
            true_ids = np.asarray(image["gtIds"], dtype=np.int64)
            matches = np.asarray(image["gtMatches"][0], dtype=np.int64)  # 0: none
            hit = matches > 0
            found[true_ids[hit] - 1] = positions[matches[hit] - 1]
    return found
