"""A detector as a whole: average precision as pycocotools has it, kinds of errors, confusions."""

import contextlib
import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.config.dataset import Dataset
from pipeline.errors.detection import choose_truth
from pipeline.errors.evaluation.detector_summary import DetectorSummary, summarise_detector
from pipeline.errors.score import score_system
from pipeline.samples.read import read_samples
from tests.errors.detections import BOX, FAR, detection, list_matches, score
from tests.errors.frames import category_frame, images, system, true_object, truth_frame
from tests.samples.datasets import NO_SHARED, SHARED

MINI = SHARED / "coco_mini"
BOTH = ("person", "dog")


def summarise(
    folder: Path,
    truth: list[dict[str, Any]],
    found: list[dict[str, Any]],
    *,
    any_category: bool = False,
    iou: float = 0.5,
) -> DetectorSummary:
    samples = images([f"{number}.png" for number in range(1, 10)])
    frame = truth_frame(truth)
    more = {"match": "any-category"} if any_category else {}
    scored = score(folder, found, frame, samples, asked=BOTH, iou=iou, **more)
    chosen = choose_truth(frame, samples, category_frame(BOTH))
    return summarise_detector(list_matches(scored), chosen, iou=iou, any_category=any_category)


def list_kinds(made: DetectorSummary) -> dict[str, int]:
    """Return the kinds that occur."""
    kinds = made.kinds.filter(pl.col("count") > 0)
    return dict(kinds.select("kind", "count").iter_rows())


def evaluate(truth: COCO, found: list[dict[str, Any]], names: list[str]) -> tuple[float, float]:
    """Return AP50:95 and AP50 of pycocotools."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.params.catIds = truth.getCatIds(catNms=names)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def draw_dataset(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Draw objects, crowds among them, and detections near them, of two categories."""
    rng = random.Random(seed)  # noqa: S311 - drawn test data
    objects, found = [], []
    for number in range(1, 60):
        box = [rng.uniform(0, 300), rng.uniform(0, 300), rng.uniform(8, 90), rng.uniform(8, 90)]
        category, image = rng.choice([1, 1, 2]), rng.randint(1, 7)
        objects.append(
            {"id": number, "image_id": image, "category_id": category, "bbox": box,
             "area": box[2] * box[3], "iscrowd": int(rng.random() < 0.1)}
        )  # fmt: skip
        for _ in range(rng.randint(0, 4)):
            moved = [value + rng.gauss(0, 6) for value in box]
            moved[2:] = [max(2.0, side) for side in moved[2:]]
            found.append(
                {"image_id": image, "category_id": rng.choice([category, category, 1, 2]),
                 "bbox": moved, "score": rng.random()}
            )  # fmt: skip
    truth = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(1, 10)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        "annotations": objects,
    }
    return truth, found


def take_truth(content: dict[str, Any], *, crowds: bool) -> list[dict[str, Any]]:
    names = {1: "person", 2: "dog"}
    return [
        true_object(one["id"], one["image_id"], one["bbox"], category=names[one["category_id"]],
                    crowd=crowds and bool(one["iscrowd"]))
        for one in content["annotations"]
    ]  # fmt: skip


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_average_precision_is_that_of_pycocotools(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    content, found = draw_dataset(seed)
    made = summarise(tmp_path_factory.getbasetemp(), take_truth(content, crowds=True), found)
    truth = COCO()
    truth.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    expected = evaluate(truth, found, list(BOTH))
    assert made.ap == pytest.approx(expected[0])
    assert made.ap50 == pytest.approx(expected[1])


@pytest.mark.skipif(not MINI.is_dir(), reason=NO_SHARED)
@pytest.mark.parametrize("sample", ["image", "object"])
def test_average_precision_of_real_detections_is_that_of_pycocotools(sample: str) -> None:
    truth_file, results = (
        MINI / "annotations/instances_val2017.json",
        MINI / "hog_people_val2017.json",
    )
    dataset = Dataset.model_validate(
        {"format": "coco", "images": str(MINI / "val2017"), "annotations": str(truth_file),
         "categories": ["person"], "sample": sample}
    )  # fmt: skip
    found = read_samples(dataset)
    scored = score_system(
        system("coco-detections", results, error="miss", iou=0.3),
        samples=found.samples,
        objects=found.objects,
        source_images=found.source_images,
        categories=found.categories,
    )
    assert scored.evaluation is not None
    made = summarise_detector(scored.evaluation.matches, scored.evaluation.truth, iou=0.3)
    with contextlib.redirect_stdout(io.StringIO()):
        annotations = COCO(str(truth_file))
    expected = evaluate(
        annotations, annotations.loadRes(str(results)).dataset["annotations"], ["person"]
    )
    assert made.ap == pytest.approx(expected[0], abs=1e-12)
    assert made.ap50 == pytest.approx(expected[1], abs=1e-12)
    assert expected[1] > 0
    kinds = dict(made.kinds.select("kind", "cost").iter_rows())
    assert kinds["missed"] > 0


PERSON = true_object(1, 1, (0, 0, 100, 100))
# Overlaps with (0, 0, 100, 100): the share of its width.
HALF, TENTH, LESS = (0, 0, 45, 100), (0, 0, 10, 100), (0, 0, 9, 100)


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        ([detection(1, (0, 0, 100, 100))], {}),
        ([detection(1, HALF)], {"localization": 1}),
        ([detection(1, TENTH)], {"localization": 1}),
        ([detection(1, LESS)], {"background": 1, "missed": 1}),
        ([detection(2, (0, 0, 100, 100))], {"background": 1, "missed": 1}),
        ([detection(1, (0, 0, 100, 100), category_id=2)], {"class": 1}),
        ([detection(1, HALF, category_id=2)], {"both": 1, "missed": 1}),
        ([detection(1, (0, 0, 100, 100)), detection(1, (0, 0, 99, 100), score=0.5)],
         {"duplicate": 1}),
        ([], {"missed": 1}),
    ],
)  # fmt: skip
def test_each_error_is_of_the_kind_that_tide_defines(
    tmp_path: Path, found: list[dict[str, Any]], kinds: dict[str, int]
) -> None:
    assert list_kinds(summarise(tmp_path, [PERSON], found)) == kinds


@pytest.mark.parametrize(
    ("seed", "kinds"),
    [
        (0, {"class": (6, 2.6827), "localization": (30, 29.3597), "both": (9, 3.1468),
             "duplicate": (34, 2.0514), "background": (9, 1.2417), "missed": (13, 7.3553)}),
        (4, {"class": (15, 17.1410), "localization": (24, 14.8084), "both": (7, 0.9012),
             "duplicate": (21, 3.7344), "background": (3, 0.7090), "missed": (13, 5.4168)}),
    ],
)  # fmt: skip
def test_kinds_and_costs_are_those_of_tidecv(
    tmp_path: Path, seed: int, kinds: dict[str, tuple[int, float]]
) -> None:
    """The numbers are what tidecv 1.0.1 gives for these draws, without crowds."""
    content, found = draw_dataset(seed)
    made = summarise(tmp_path, take_truth(content, crowds=False), found)
    assert {name: count for name, count, _ in made.kinds.iter_rows()} == {
        name: count for name, (count, _) in kinds.items()
    }
    costs = [100 * cost for cost in made.kinds["cost"]]
    assert costs == pytest.approx([cost for _, cost in kinds.values()], abs=6e-5)


def test_a_kind_costs_what_average_precision_gains_without_it(tmp_path: Path) -> None:
    """Two people: one is found, the other by too large a box, behind a box on nothing."""
    truth = [PERSON, true_object(2, 2, BOX)]
    found = [
        detection(1, (0, 0, 100, 100), score=0.9),
        detection(3, FAR, score=0.8),
        detection(2, (10, 10, 20, 50), score=0.7),
    ]
    made = summarise(tmp_path, truth, found)
    assert made.ap50 == pytest.approx(51 / 101)  # recall 0.5 at precision 1
    kinds = {name: (count, cost) for name, count, cost in made.kinds.iter_rows()}
    assert kinds["localization"] == (1, pytest.approx(50 / 101 * 2 / 3))  # then 2 of 3 are right
    assert kinds["background"] == (1, pytest.approx(0))  # nothing right comes after it
    assert kinds["missed"] == (0, pytest.approx(0))  # the localization error has the other person


def test_of_errors_about_one_object_the_best_is_mended_and_missed_objects_are_taken_out(
    tmp_path: Path,
) -> None:
    truth = [PERSON, true_object(2, 2, BOX)]
    found = [detection(1, HALF, score=0.9), detection(1, TENTH, score=0.8)]
    made = summarise(tmp_path, truth, found)
    kinds = {name: (count, cost) for name, count, cost in made.kinds.iter_rows()}
    assert made.ap50 == 0
    assert kinds["localization"] == (2, pytest.approx(51 / 101))  # one right, one removed
    assert kinds["missed"] == (1, pytest.approx(0))  # the other object remains to be found


def test_precision_and_recall_are_given_as_audited_and_where_f1_is_best(tmp_path: Path) -> None:
    truth = [PERSON, true_object(2, 2, BOX), true_object(3, 3, BOX, crowd=True)]
    found = [
        detection(1, (0, 0, 100, 100), score=0.9),
        detection(2, BOX, score=0.8),
        detection(3, BOX, score=0.7),  # on a crowd: neither right nor wrong
        *(detection(4, FAR, score=0.1) for _ in range(2)),
    ]
    points = summarise(tmp_path, truth, found).points.rows()
    assert points == [("as audited", 0.1, 0.5, 1.0, 2 / 3), ("best F1", 0.8, 1.0, 1.0, 1.0)]


def test_confusions_count_what_objects_are_taken_for(tmp_path: Path) -> None:
    truth = [PERSON, true_object(2, 2, BOX), true_object(3, 3, BOX, category="dog")]
    found = [
        detection(1, (0, 0, 100, 100), category_id=2),
        detection(3, BOX, category_id=2),
        detection(4, BOX),
    ]
    made = summarise(tmp_path, truth, found).confusions
    assert set(made.rows()) == {
        ("person", "dog", 1), ("person", None, 1), ("dog", "dog", 1), (None, "person", 1)
    }  # fmt: skip


def test_categories_have_their_own_precision_recall_and_ap(tmp_path: Path) -> None:
    truth = [PERSON, true_object(2, 2, BOX), true_object(3, 3, BOX, category="dog")]
    found = [detection(1, (0, 0, 100, 100)), detection(4, BOX, score=0.3)]
    made = summarise(tmp_path, truth, found)
    assert made.categories.rows() == [
        ("person", 2, 2, 1, 0.5, 0.5, pytest.approx(51 / 101), pytest.approx(51 / 101)),
        ("dog", 1, 0, 0, None, 0.0, 0.0, 0.0),
    ]
    assert made.ap50 == pytest.approx(51 / 202)


def test_without_objects_or_detections_there_is_no_number(tmp_path: Path) -> None:
    made = summarise(tmp_path, [true_object(1, 1, BOX, crowd=True)], [detection(2, BOX)])
    assert (made.ap50, made.ap) == (None, None)
    assert made.kinds["cost"].null_count() == 6
    assert summarise(tmp_path, [PERSON], []).points.is_empty()


def test_without_regard_to_category_a_wrong_class_finds_its_object(tmp_path: Path) -> None:
    found = [detection(1, (0, 0, 100, 100), category_id=2)]
    made = summarise(tmp_path, [PERSON], found, any_category=True)
    assert (made.ap50, list_kinds(made)) == (1.0, {})
    assert made.confusions.rows() == [("person", "dog", 1)]
    assert np.isclose(made.points["recall"], 1).all()
