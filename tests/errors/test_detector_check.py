"""AP, recall and false positives: as pycocotools and hotcoco have them, and by hand."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import hotcoco
import numpy as np
import polars as pl
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.errors.evaluation.detector_check import check_detector

BOX = ("x", "y", "w", "h")


def frame(rows: list[tuple[Any, ...]], *more: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["path", "category", *BOX, *more], orient="row")


def test_false_positives_are_counted_apart_with_and_without_the_category() -> None:
    truth = frame([("a", "p", 0, 0, 10, 10, False, False), ("b", "p", 0, 0, 10, 10, False, False)],
                  "crowd", "ignore")  # fmt: skip
    found = frame(
        [
            ("a", "p", 0.0, 0.0, 10.0, 10.0, 0.9),  # right
            ("a", "p", 50.0, 0.0, 10.0, 10.0, 0.8),  # false, beside one
            ("c", "p", 0.0, 0.0, 10.0, 10.0, 0.95),  # false, where there is none
            ("d", "p", 0.0, 0.0, 10.0, 10.0, 0.1),  # likewise, but not at half of the recall
            ("z", "p", 0.0, 0.0, 10.0, 10.0, 0.9),  # an image that was not seen
        ],
        "score",
    )
    (row,) = check_detector(truth, found, pl.Series(list("abcd"))).to_dicts()
    assert (row["objects"], row["images_with"], row["images_without"]) == (2, 2, 2)
    assert (row["detections"], row["recall"]) == (4, 0.5)
    assert (row["false_with"], row["false_without"]) == (0.5, 1.0)
    assert row["score_half"] == 0.9
    assert (row["false_with_half"], row["false_without_half"]) == (0.0, 0.5)
    assert row["ap50"] == pytest.approx(51 / 101 * 0.5)


def test_crowds_are_no_objects_and_finding_them_is_not_false() -> None:
    truth = frame([("a", "p", 0.0, 0.0, 10.0, 10.0, True, True)], "crowd", "ignore")
    found = frame([("a", "p", 0.0, 0.0, 10.0, 10.0, 0.9)], "score")
    (row,) = check_detector(truth, found, pl.Series(["a"])).to_dicts()
    assert (row["objects"], row["detections"], row["false_with"]) == (0, 0, 0.0)
    assert row["ap50"] is row["recall"] is row["false_without"] is None


def test_average_precision_equals_that_of_pycocotools_and_hotcoco(tmp_path: Path) -> None:
    truth, found = draw_world(np.random.default_rng(5))
    paths = pl.Series([str(n) for n in range(30)])
    made = {row["category"]: row for row in check_detector(truth, found, paths).to_dicts()}
    (tmp_path / "truth.json").write_text(json.dumps(to_coco(truth)))
    (tmp_path / "found.json").write_text(json.dumps(to_results(found)))
    files = str(tmp_path / "truth.json"), str(tmp_path / "found.json")
    for number, category in enumerate(("p", "q"), start=1):
        with contextlib.redirect_stdout(io.StringIO()):
            reference = COCO(files[0])
            slow = COCOeval(reference, reference.loadRes(files[1]), "bbox")
            hot = hotcoco.COCO(files[0])
            fast = hotcoco.COCOeval(hot, hot.load_res(files[1]), "bbox")
            for one in (slow, fast):
                one.params.catIds = [number]
            slow.evaluate(), slow.accumulate(), slow.summarize()
            fast.evaluate()
            fast.accumulate()
            fast.summarize()
        own = made[category]
        assert [own["ap"], own["ap50"]] == pytest.approx(list(slow.stats[:2]), abs=1e-9)
        assert list(fast.stats[:2]) == pytest.approx(list(slow.stats[:2]), abs=1e-9)


def draw_world(rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return true boxes in most images, and jittered, missing and invented detections."""
    true, found = [], []
    for image in range(30):
        for _ in range(int(rng.integers(0, 5))):
            category = "pq"[int(rng.integers(2))]
            box = [*rng.uniform(0, 200, 2), *rng.uniform(20, 80, 2)]
            true.append((str(image), category, *box, False, False))
            if rng.random() < 0.8:
                moved = [side + float(rng.normal(0, 6)) for side in box]
                found.append((str(image), category, *moved, float(rng.random())))
        for _ in range(int(rng.integers(0, 3))):
            box = [*rng.uniform(0, 200, 2), *rng.uniform(20, 80, 2)]
            found.append((str(image), "p", *box, float(rng.random() * 0.7)))
    return frame(true, "crowd", "ignore"), frame(found, "score")


def to_coco(truth: pl.DataFrame) -> dict[str, object]:
    rows = [
        {"id": n + 1, "image_id": int(row["path"]), "category_id": "pq".index(row["category"]) + 1,
         "bbox": [row[side] for side in BOX], "area": row["w"] * row["h"], "iscrowd": 0}
        for n, row in enumerate(truth.iter_rows(named=True))
    ]  # fmt: skip
    return {
        "images": [{"id": n, "width": 320, "height": 320, "file_name": f"{n}"} for n in range(30)],
        "categories": [{"id": 1, "name": "p"}, {"id": 2, "name": "q"}],
        "annotations": rows,
    }


def to_results(found: pl.DataFrame) -> list[dict[str, object]]:
    return [
        {"image_id": int(row["path"]), "category_id": "pq".index(row["category"]) + 1,
         "bbox": [row[side] for side in BOX], "score": row["score"]}
        for row in found.iter_rows(named=True)
    ]  # fmt: skip
