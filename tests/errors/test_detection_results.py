"""Result files of detectors: bad ones are refused in words."""

import contextlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from pipeline.errors.score import score_system
from pipeline.exceptions import PredictionsError
from tests.errors.detections import BOX, FAR, detection, misses, score
from tests.errors.frames import (
    by_path,
    category_frame,
    source_frame,
    system,
    true_object,
    truth_frame,
    with_objects,
)
from tests.samples.datasets import write_json
from tests.samples.mutations import mutated, torn


def test_detections_of_unknown_images_are_counted_and_of_none_known_refused(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    scored = score(tmp_path, [detection(1, BOX), detection(77, BOX)], truth, samples)
    assert scored.errors_without_sample == 1
    with pytest.raises(PredictionsError, match="none of the 1 detections is of an image"):
        score(tmp_path, [detection(77, BOX)], truth, samples)


def test_categories_that_count_from_1_where_the_dataset_counts_from_0_are_refused(
    tmp_path: Path,
) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    samples = with_objects(truth)
    numbered = pl.DataFrame(
        {
            "source": [0, 0],
            "category_id": ["0", "1"],
            "category": ["person", "dog"],
            "asked": [True, True],
        }
    )

    def read(*ids: int) -> float:
        file = write_json(
            tmp_path / "detections.json", [detection(1, BOX, category_id=one) for one in ids]
        )
        scored = score_system(
            system("coco-detections", file, error="miss"),
            samples=samples,
            objects=truth,
            source_images=source_frame(9),
            categories=numbered,
        )
        return float(scored.errors["error"][0])

    assert read(0, 1) == 0
    assert read(1) == 1
    assert read(0, 2) == 0
    with pytest.raises(PredictionsError, match=r"from 1 to 2, the dataset from 0 to 1.*subtract 1"):
        read(1, 2)


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
    ("content", "shown"),
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
    tmp_path: Path, content: Any, shown: str
) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    if isinstance(content, list):
        content = [detection(1, BOX), *content]
    with pytest.raises(PredictionsError) as caught:
        score(tmp_path, content, truth, with_objects(truth))
    assert shown in str(caught.value)
    assert "detections.json" in str(caught.value)
    assert isinstance(content, dict) or "[1]: " in str(caught.value)


def test_many_bad_results_are_cut_to_twenty_and_a_count(tmp_path: Path) -> None:
    truth = truth_frame([true_object(1, 1, BOX)])
    with pytest.raises(PredictionsError, match=r"(?s)50 of 50 results.*\[19\].*and 30 more"):
        score(tmp_path, [{}] * 50, truth, with_objects(truth))


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
