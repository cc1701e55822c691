"""The match status of each detection, and the errors that are computed from it."""

import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from pipeline.config.audit import System
from pipeline.exceptions import PredictionsError
from pipeline.samples.ids import make_sample_id
from pipeline.tables import DETECTION_MATCHES
from tests.errors.detections import BOX, FAR, detection, list_matches, misses, score
from tests.errors.frames import by_path, images, true_object, truth_frame, with_objects

BOTH = ("person", "dog")
CROWD = (100, 100, 40, 40)
MOVED = (10, 12, 20, 20)  # overlaps BOX by 18/22
TRUTH = truth_frame(
    [
        true_object(1, 1, BOX),
        true_object(2, 1, FAR, category="dog"),
        true_object(3, 1, CROWD, crowd=True),
        true_object(4, 3, BOX, ignore=True),
    ]
)
OBJECTS = pl.concat(  # every image holds a sample: an object audit uses no others
    [TRUTH, truth_frame([true_object(5, 2, FAR), true_object(6, 3, FAR)])]
)
FOUND = [
    detection(1, BOX, score=0.9),
    detection(1, MOVED, score=0.8),  # the person again
    detection(1, FAR, score=0.7),  # the dog as a person
    detection(1, (100, 100, 10, 10), score=0.6),  # in the crowd
    detection(1, (110, 110, 10, 10), score=0.5),  # in the crowd as well
    detection(2, BOX, score=0.4),  # nothing is there
    detection(3, BOX, score=0.3),  # an ignored person
    detection(1, BOX, score=0.2, category_id=2),  # a dog where a person was found
]


def test_each_detection_has_a_status_and_its_target_object(tmp_path: Path) -> None:
    scored = score(tmp_path, FOUND, OBJECTS, with_objects(OBJECTS), asked=BOTH)
    table = list_matches(scored)
    assert table.schema == pl.Schema(DETECTION_MATCHES)
    own = [make_sample_id("1.png", number) for number in ("1", "2")]
    rows = table.select("score", "status", "annotation_id", "sample_id").rows()
    assert rows == [
        (0.9, "found", "1", own[0]),
        (0.8, "duplicate", "1", own[0]),
        (0.7, "wrong class", "2", own[1]),
        (0.6, "ignored", "3", None),
        (0.5, "ignored", "3", None),
        (0.4, "false positive", None, None),
        (0.3, "ignored", "4", None),
        (0.2, "false positive", None, None),
    ]
    assert table["iou"].to_list() == pytest.approx([1, 18 / 22, 1, 1, 1, 0, 1, 0])
    counts = {name: count for name, count in scored.notes.items() if name.startswith("detections_")}
    assert list(counts.values())[-5:] == [1, 3, 1, 1, 2]
    assert counts["detections_wrong_class"] == 1


def test_in_an_image_audit_matches_name_the_annotation_but_no_sample(tmp_path: Path) -> None:
    table = list_matches(score(tmp_path, FOUND, TRUTH, images(["1.png", "2.png"]), asked=BOTH))
    assert table.height == 7
    assert table["annotation_id"].to_list()[:3] == ["1", "1", "2"]
    assert table["sample_id"].null_count() == 7


def test_only_detections_that_count_are_matched(tmp_path: Path) -> None:
    samples = with_objects(OBJECTS)
    assert list_matches(score(tmp_path, FOUND, OBJECTS, samples)).height == 7  # no dogs
    assert list_matches(score(tmp_path, FOUND, OBJECTS, samples, min_score=0.4)).height == 6
    assert list_matches(score(tmp_path, [], OBJECTS, samples)).is_empty()
    far = [*FOUND, detection(5, BOX), detection(77, BOX)]  # left out, and unknown
    assert list_matches(score(tmp_path, far, OBJECTS, samples)).height == 7


def test_a_dog_that_is_not_asked_for_is_a_false_positive_when_called_a_person(
    tmp_path: Path,
) -> None:
    table = list_matches(score(tmp_path, FOUND, OBJECTS, with_objects(OBJECTS)))
    assert table.filter(pl.col("score") == 0.7)["status"].to_list() == ["false positive"]


def test_a_detection_that_found_its_own_object_confuses_no_other(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX), true_object(2, 1, MOVED, category="dog")])
    samples = with_objects(truth)
    found = [detection(1, BOX)]
    scored = score(tmp_path, found, truth, samples, asked=BOTH, error="wrong-class")
    assert list_matches(scored)["status"].to_list() == ["found"]
    assert misses(scored, samples) == {"1": 0.0, "2": 0.0}


def test_a_duplicate_is_no_wrong_class_and_its_target_is_the_object_it_overlaps_most(
    tmp_path: Path,
) -> None:
    truth = truth_frame(
        [
            true_object(1, 1, BOX),
            true_object(2, 1, (10, 16, 20, 20)),
            true_object(3, 1, (10, 11, 20, 20), category="dog"),
        ]
    )
    found = [detection(1, BOX), detection(1, (10, 16, 20, 20)), detection(1, MOVED, score=0.1)]
    table = list_matches(score(tmp_path, found, truth, with_objects(truth), asked=BOTH))
    assert table.row(2, named=True)["status"] == "duplicate"
    assert table.row(2, named=True)["annotation_id"] == "1"


def test_wrong_classes_among_one_category_are_refused_as_they_would_always_be_none(
    tmp_path: Path,
) -> None:
    with pytest.raises(PredictionsError, match=r"wrong-class needs several .* 'person' alone"):
        score(tmp_path, FOUND, OBJECTS, with_objects(OBJECTS), error="wrong-class")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("miss", {"1": 0.0, "2": 1.0, "3": 1.0}),
        ("iou-loss", {"1": 4 / 22, "2": 1.0, "3": 1.0}),
        ("score-loss", {"1": 0.2, "2": 1.0, "3": 1.0}),
        ("wrong-class", {"1": 0.0, "2": 1.0, "3": 0.0}),
        ("duplicates", {"1": 2.0, "2": 0.0, "3": 0.0}),
    ],
)
def test_errors_of_objects(tmp_path: Path, error: str, expected: dict[str, float]) -> None:
    truth = truth_frame(
        [true_object(1, 1, BOX), true_object(2, 1, FAR, category="dog"), true_object(3, 2, BOX)]
    )
    samples = with_objects(truth)
    found = [
        detection(1, MOVED, score=0.8),
        *[detection(1, BOX, score=0.7)] * 2,
        *[detection(1, FAR, score=0.6)] * 2,
    ]
    scored = score(tmp_path, found, truth, samples, asked=BOTH, error=error)
    assert misses(scored, samples) == pytest.approx(expected)
    assert scored.errors["metric"].unique().to_list() == [error]
    assert all(math.copysign(1, value) > 0 for value in scored.errors["error"])  # no -0.0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("miss", {"1.png": 0.5, "4.png": 1.0}),
        ("misses", {"1.png": 1.0, "2.png": 0.0, "3.png": 0.0, "4.png": 1.0, "5.png": 0.0}),
        ("false-positives", {"1.png": 3.0, "2.png": 1.0, "3.png": 0.0, "4.png": 0.0, "5.png": 0.0}),
        ("f1-loss", {"1.png": 4 / 6, "2.png": 1.0, "3.png": 0.0, "4.png": 1.0, "5.png": 0.0}),
    ],
)
def test_errors_of_images(tmp_path: Path, error: str, expected: dict[str, float]) -> None:
    truth = pl.concat([TRUTH, truth_frame([true_object(5, 4, BOX)])])
    samples = images([f"{number}.png" for number in range(1, 6)])
    scored = score(tmp_path, FOUND, truth, samples, asked=BOTH, error=error)
    assert by_path(scored, samples) == pytest.approx(expected)
    assert scored.samples_without_error == 5 - len(expected)
    assert scored.notes["detections_ignored"] == 3


def test_an_image_that_no_annotation_file_lists_has_no_error(tmp_path: Path) -> None:
    samples = images(["1.png", "elsewhere.png"])
    scored = score(tmp_path, FOUND, TRUTH, samples, asked=BOTH, error="false-positives")
    assert set(by_path(scored, samples)) == {"1.png"}
    assert scored.samples_without_error == 1


@pytest.mark.parametrize("worst", [-0.2, 1.5])
def test_a_score_loss_refuses_scores_that_are_no_probabilities(
    tmp_path: Path, worst: float
) -> None:
    samples = with_objects(OBJECTS)
    found: list[dict[str, Any]] = [*FOUND, detection(1, BOX, score=worst)]
    with pytest.raises(PredictionsError, match=r"1 of 8 detections have others, .* rescale them"):
        score(tmp_path, found, OBJECTS, samples, error="score-loss")
    score(tmp_path, found, OBJECTS, samples, error="iou-loss")
    if worst < 0:  # what does not count cannot be wrong
        score(tmp_path, found, OBJECTS, samples, error="score-loss", min_score=0)


def test_an_object_found_where_it_is_has_no_loss_of_overlap(tmp_path: Path) -> None:
    box = (0.1, 0.7, 3.3, 1.1)  # x + w - x is not w
    truth = truth_frame([true_object(1, 1, box)])
    samples = with_objects(truth)
    scored = score(tmp_path, [detection(1, box)], truth, samples, error="iou-loss")
    assert 0 <= misses(scored, samples)["1"] < 1e-12


def test_errors_of_images_are_not_those_of_objects(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="error 'f1-loss' is not one of objects"):
        score(tmp_path, FOUND, OBJECTS, with_objects(OBJECTS), error="f1-loss")
    with pytest.raises(PredictionsError, match="error 'duplicates' is not one of images"):
        score(tmp_path, FOUND, TRUTH, images(["1.png"]), error="duplicates")


def test_with_any_category_a_detection_of_another_one_finds_its_object(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    found = [detection(1, BOX, category_id=2), detection(1, BOX, score=0.5)]
    more: dict[str, Any] = {"asked": BOTH, "match": "any-category"}
    matches = list_matches(score(tmp_path, found, truth, samples, **more))
    rows = matches.select("category", "status").rows()
    assert rows == [("dog", "found"), ("person", "duplicate")]


@pytest.mark.parametrize("changes", [{"error": "wrong-class"}, {"format": "table", "error": "e"}])
def test_any_category_is_refused_where_it_means_nothing(changes: dict[str, str]) -> None:
    asked = {"name": "s", "format": "coco-detections", "predictions": "x.json", "error": "miss"}
    with pytest.raises(ValidationError, match=r"any-category|match: only used by"):
        System.model_validate({**asked, "match": "any-category", **changes})
