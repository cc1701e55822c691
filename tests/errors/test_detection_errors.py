"""Errors of detectors: objects that no detection finds."""

import contextlib
import io
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.config import CropRule, Dataset
from pipeline.errors import Scored, score_system
from pipeline.exceptions import PredictionsError
from pipeline.samples import SampleSet, read_samples
from tests.errors.frames import (
    by_path,
    category_frame,
    images,
    source_frame,
    system,
    true_object,
    truth_frame,
    with_objects,
)
from tests.samples.datasets import NO_SHARED, SHARED, write_json
from tests.samples.mutations import mutated, torn

BOX = (10, 10, 20, 20)
FAR = (200, 200, 20, 20)


def detection(image: object, box: Sequence[object], **more: object) -> dict[str, Any]:
    return {"image_id": image, "category_id": 1, "bbox": list(box), "score": 0.9, **more}


def score(
    folder: Path,
    detections: object,
    truth: pl.DataFrame,
    samples: pl.DataFrame,
    *,
    asked: Sequence[str] = ("person",),
    **settings: object,
) -> Scored:
    file = write_json(folder / "detections.json", detections)
    return score_system(
        system("coco-detections", file, error="miss", **settings),
        samples=samples,
        objects=truth,
        source_images=source_frame(9),
        categories=category_frame(asked),
    )


def misses(scored: Scored, samples: pl.DataFrame) -> dict[str, float]:
    joined = scored.errors.join(samples, on="sample_id")
    return dict(joined.select("annotation_id", "error").iter_rows())


def test_an_object_is_missed_unless_a_detection_of_its_category_overlaps_it(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 1, FAR), true_object(3, 2, BOX)])
    samples = with_objects(truth)
    found = [detection(1, BOX), detection(1, FAR, category_id=2), detection(3, BOX)]
    scored = score(tmp_path, found, truth, samples)
    assert misses(scored, samples) == {"1": 0.0, "2": 1.0, "3": 1.0}
    assert scored.errors_without_sample == 0
    assert scored.notes["detections_of_other_categories"] == 1
    assert scored.notes["detections_of_images_left_out"] == 1
    assert (scored.notes["objects"], scored.notes["objects_missed"]) == (3, 2)


def test_an_image_has_the_share_of_its_objects_missed_or_no_error(tmp_path: Path) -> None:
    truth = truth_frame(
        [
            true_object(1, 1, BOX),
            true_object(2, 1, FAR),
            true_object(3, 2, BOX),
            true_object(4, 3, BOX, category="dog"),
            true_object(5, 4, BOX, crowd=True),
            true_object(6, 4, BOX, ignore=True),
        ]
    )
    samples = images([f"{number}.png" for number in range(1, 6)])
    scored = score(tmp_path, [detection(1, BOX), detection(2, BOX)], truth, samples)
    assert by_path(scored, samples) == {"1.png": 0.5, "2.png": 0.0}
    assert scored.samples_without_error == 3
    assert scored.notes["crowds_and_ignored"] == 2


@pytest.mark.parametrize(("iou", "error"), [(0.5, 0.0), (0.51, 1.0)])
def test_the_overlap_asked_for_is_enough(tmp_path: Path, iou: float, error: float) -> None:
    truth = truth_frame([true_object(1, 1, (0, 0, 10, 10))])
    samples = with_objects(truth)
    scored = score(tmp_path, [detection(1, (0, 0, 10, 5))], truth, samples, iou=iou)
    assert misses(scored, samples) == {"1": error}


def test_detections_under_the_score_do_not_count(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 2, BOX)])
    samples = with_objects(truth)
    found = [detection(1, BOX, score=0.3), detection(2, BOX, score=0.29)]
    scored = score(tmp_path, found, truth, samples, min_score=0.3)
    assert misses(scored, samples) == {"1": 0.0, "2": 1.0}
    assert scored.notes["detections_below_min_score"] == 1


def test_one_detection_finds_one_object_and_crowds_take_none_from_it(tmp_path: Path) -> None:
    truth = truth_frame(
        [true_object(1, 1, BOX), true_object(2, 1, BOX), true_object(3, 1, BOX, crowd=True)]
    )
    samples = with_objects(truth)
    one = misses(score(tmp_path, [detection(1, BOX)], truth, samples), samples)
    assert sorted(one.values()) == [0.0, 1.0]
    two = misses(score(tmp_path, [detection(1, BOX)] * 2, truth, samples), samples)
    assert two == {"1": 0.0, "2": 0.0}


def test_of_equal_objects_the_one_with_the_highest_number_is_found(tmp_path: Path) -> None:
    truth = truth_frame([true_object(number, 1, BOX) for number in range(1, 12)])
    samples = with_objects(truth)
    found = misses(score(tmp_path, [detection(1, BOX)], truth, samples), samples)
    assert [name for name, error in found.items() if error == 0] == ["11"]


def test_no_number_of_detections_is_too_many(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    crowd = [detection(1, FAR, score=0.9) for _ in range(1500)]
    scored = score(tmp_path, [*crowd, detection(1, BOX, score=0.1)], truth, samples)
    assert misses(scored, samples) == {"1": 0.0}


def test_no_detection_at_all_misses_everything(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    assert misses(score(tmp_path, [], truth, samples), samples) == {"1": 1.0}


def test_detections_of_unknown_images_are_counted_and_of_none_known_refused(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    scored = score(tmp_path, [detection(1, BOX), detection(77, BOX)], truth, samples)
    assert scored.errors_without_sample == 1
    with pytest.raises(PredictionsError, match="none of the 1 detections is of an image"):
        score(tmp_path, [detection(77, BOX)], truth, samples)


def test_each_file_is_matched_in_its_own_ids(tmp_path: Path) -> None:
    truth = truth_frame(
        [
            true_object(1, 1, BOX, path="train/1.png"),
            true_object(1, 1, BOX, path="val/1.png", source=1),
        ]
    )
    samples = with_objects(truth)
    sources = truth.select("source", "image_id", "path")
    categories = pl.concat(
        [
            category_frame(),
            category_frame().with_columns(
                source=pl.lit(1, dtype=pl.Int64), category_id=pl.lit("5")
            ),
        ]
    ).filter(pl.col("category") == "person")
    train = write_json(tmp_path / "train.json", [])
    val = write_json(tmp_path / "val.json", [detection(1, BOX, category_id=5)])
    scored = score_system(
        system("coco-detections", train, val, error="miss"),
        samples=samples,
        objects=truth,
        source_images=sources,
        categories=categories,
    )
    assert by_path(scored, samples) == {"train/1.png": 1.0, "val/1.png": 0.0}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "expected a list of COCO results"),
        ([[]], "is [], expected an object"),
        ([{"image_id": 1, "category_id": 1, "score": 1}], "bbox is missing"),
        ([detection(1, BOX, score=float("nan"))], "score is nan, expected a finite number"),
        ([detection(1, BOX, score=float("inf"))], "score is inf, expected a finite number"),
        ([detection(1, BOX, score="0.5")], "score is '0.5', expected"),
        ([detection(1, BOX, score=None)], "score is None, expected"),
        ([detection(1, (1, 2, -3, 4))], "a side is negative"),
        ([detection(1, (1, 2, 3))], "expected [x, y, width, height]"),
        ([detection(1, (1, 2, 3, float("nan")))], "expected four finite numbers"),
        ([detection(None, BOX)], "image_id is None, expected"),
        ([detection(1, BOX, category_id=[1])], "category_id is [1], expected"),
    ],
)
def test_results_that_are_none_are_refused_with_their_position(
    tmp_path: Path, content: Any, told: str
) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    if isinstance(content, list):
        content = [detection(1, BOX), *content]
    with pytest.raises(PredictionsError) as caught:
        score(tmp_path, content, truth, with_objects(truth))
    assert told in str(caught.value)
    assert "detections.json" in str(caught.value)
    assert isinstance(content, dict) or "[1]: " in str(caught.value)


def test_many_bad_results_are_cut_to_twenty_and_a_count(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    with pytest.raises(PredictionsError, match=r"(?s)50 of 50 results.*\[19\].*and 30 more"):
        score(tmp_path, [{}] * 50, truth, with_objects(truth))


def test_error_id_follows_truth_and_settings(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    moved = truth_frame([true_object(1, 1, (11, 10, 20, 20))])
    samples = with_objects(truth)
    runs = [
        score(tmp_path, [detection(1, BOX)], truth, samples),
        score(tmp_path, [detection(1, BOX)], truth, samples, iou=0.6),
        score(tmp_path, [detection(1, BOX)], truth, samples, min_score=0.1),
        score(tmp_path, [detection(1, BOX)], truth, samples, asked=("person", "dog")),
        score(tmp_path, [detection(1, BOX)], moved, samples),
    ]
    ids = [run.errors["error_id"][0] for run in runs]
    assert len(set(ids)) == 5
    renamed = score(tmp_path, [detection(1, BOX)], truth, samples, name="other")
    assert renamed.errors["error_id"][0] not in ids
    assert score(tmp_path, [detection(1, BOX)], truth, samples).errors["error_id"][0] == ids[0]


SIDE = st.integers(0, 12).map(float)
BOXES = st.tuples(SIDE, SIDE, st.integers(1, 9).map(float), st.integers(1, 9).map(float))


@st.composite
def scenes(draw: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw true boxes and detections that often overlap, with equal scores among them."""
    truth = [
        true_object(
            number + 1,
            draw(st.integers(1, 3)),
            draw(BOXES),
            category=draw(st.sampled_from(["person", "dog"])),
            crowd=draw(st.booleans()) and draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 12)))
    ]
    boxes = st.one_of(
        BOXES, st.sampled_from([tuple(row[side] for side in "xywh") for row in truth])
    )
    found = [
        detection(
            draw(st.integers(1, 3)),
            draw(boxes),
            category_id=draw(st.integers(1, 2)),
            score=draw(st.sampled_from([0.1, 0.5, 0.9])),
        )
        for _ in range(draw(st.integers(0, 12)))
    ]
    return truth, found


def misses_by_pycocotools(
    truth: Sequence[dict[str, Any]], found: list[dict[str, Any]], iou: float
) -> dict[str, float]:
    """Match with the reference implementation; the oracle of this test."""
    document = {
        "images": [{"id": number} for number in (1, 2, 3)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {
                "id": int(row["annotation_id"]),
                "image_id": int(row["image_id"]),
                "category_id": 1 if row["category"] == "person" else 2,
                "bbox": [row[side] for side in "xywh"],
                "area": row["w"] * row["h"],
                "iscrowd": int(row["crowd"]),
            }
            for row in truth
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = document
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(found), "bbox")
        evaluation.params.iouThrs = [iou]
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [10_000]
        evaluation.evaluate()
    crowds = {row["annotation_id"] for row in truth if row["crowd"]}
    missed: dict[str, float] = {}
    for image in evaluation.evalImgs:
        if image is not None:
            for number, match in zip(image["gtIds"], image["gtMatches"][0], strict=True):
                missed[str(number)] = float(match == 0)
    return {name: error for name, error in missed.items() if name not in crowds}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scene=scenes(), iou=st.sampled_from([0.1, 0.3, 0.5, 0.75, 1.0]))
def test_misses_equal_those_of_pycocotools_object_by_object(
    tmp_path: Path, scene: tuple[list[dict[str, Any]], list[dict[str, Any]]], iou: float
) -> None:
    truth, found = scene
    frame = truth_frame(truth)
    samples = with_objects(frame)
    asked = ("person", "dog")
    if not found or samples.is_empty():
        return
    expected = misses_by_pycocotools(truth, found, iou)
    scored = score(tmp_path, found, frame, samples, asked=asked, iou=iou)
    assert misses(scored, samples) == expected


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scene=scenes(), seed=st.integers(0, 10**6))
def test_the_order_of_objects_and_of_different_scores_does_not_matter(
    tmp_path: Path, scene: tuple[list[dict[str, Any]], list[dict[str, Any]]], seed: int
) -> None:
    truth, found = scene
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    found = [{**row, "score": 0.01 * number} for number, row in enumerate(found)]
    frame = truth_frame(truth)
    samples = with_objects(frame)
    if samples.is_empty():
        return
    one = score(tmp_path, found, frame, samples)
    mixed = draw.sample(found, len(found))
    other = score(tmp_path, mixed, frame.reverse(), samples.reverse())
    assert one.errors.drop("error_id").equals(other.errors.drop("error_id"))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(document=mutated([detection(1, BOX), detection(2, BOX), detection(3, FAR, score=0.2)]))
def test_mutated_results_are_scored_or_refused_in_words(tmp_path: Path, document: Any) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 2, BOX)])
    samples = with_objects(truth)
    try:
        scored = score(tmp_path, document, truth, samples)
    except PredictionsError as error:
        assert str(error).encode("utf-8")  # noqa: PT017 - it can be printed
        return
    assert scored.notes["detections"] == len(document)
    assert set(misses(scored, samples)) == {"1", "2"}
    assert set(misses(scored, samples).values()) <= {0.0, 1.0}


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=torn([detection(1, BOX), detection(2, BOX)]))
def test_torn_results_are_scored_or_refused_in_words(tmp_path: Path, data: bytes) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    file = tmp_path / "torn.json"
    file.write_bytes(data)
    with contextlib.suppress(PredictionsError):
        scored = score_system(
            system("coco-detections", file, error="miss"),
            samples=with_objects(truth),
            objects=truth,
            source_images=source_frame(9),
            categories=category_frame(),
        )
        assert scored.errors["error"].is_in([0.0, 1.0]).all()


def score_set(found: SampleSet, *files: Path) -> Scored:
    return score_system(
        system("coco-detections", *files, error="miss", iou=0.3),
        samples=found.samples,
        objects=found.objects,
        source_images=found.source_images,
        categories=found.categories,
    )


@pytest.mark.skipif(not (SHARED / "celeba").is_dir(), reason=NO_SHARED)
def test_haar_misses_five_and_a_half_percent_of_the_celeba_faces() -> None:
    folder = SHARED / "celeba"
    dataset = Dataset.model_validate(
        {
            "format": "coco",
            "images": str(folder / "images"),
            "annotations": str(folder / "faces.json"),
            "categories": ["face"],
        }
    )
    scored = score_set(read_samples(dataset), folder / "haar_detections.json")
    assert scored.errors.height == 5000
    assert scored.errors["error"].mean() == pytest.approx(0.055)
    assert (scored.errors_without_sample, scored.samples_without_error) == (0, 0)


@pytest.mark.skipif(not (SHARED / "coco_mini").is_dir(), reason=NO_SHARED)
def test_hog_misses_more_of_the_small_people() -> None:
    folder = SHARED / "coco_mini"
    splits = ("train2017", "val2017")
    dataset = Dataset.model_validate(
        {
            "format": "coco",
            "images": [str(folder / split) for split in splits],
            "annotations": [
                str(folder / f"annotations/instances_{split}.json") for split in splits
            ],
            "categories": ["person"],
            "sample": "object",
            "crop": CropRule(min_size=1),
        }
    )
    found = read_samples(dataset)
    scored = score_set(found, *[folder / f"hog_people_{split}.json" for split in splits])
    people = found.samples.join(scored.errors, on="sample_id")
    small, large = people.filter(pl.col("h") < 128), people.filter(pl.col("h") >= 128)
    assert (small.height, large.height) == (192, 92)
    assert small["error"].mean() == pytest.approx(0.984, abs=5e-4)
    assert large["error"].mean() == pytest.approx(0.837, abs=5e-4)
