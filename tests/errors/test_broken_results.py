"""Broken files of detections: shown in words or counted, whatever error is asked for."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors.detection_losses import IMAGE_LOSSES, OBJECT_LOSSES
from pipeline.errors.match_status import STATUSES
from pipeline.errors.results_file import read_detections
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.errors.sweep import sweep_threshold
from pipeline.exceptions import PredictionsError
from tests.errors.detections import BOX, FAR, detection, list_matches, misses, score
from tests.errors.frames import (
    category_frame,
    images,
    source_frame,
    system,
    true_object,
    truth_frame,
    with_objects,
)
from tests.samples.mutations import mutated, torn

BOTH = ("person", "dog")
TRUTH = truth_frame(
    [
        true_object(1, 1, BOX),
        true_object(2, 1, FAR, category="dog"),
        true_object(3, 2, BOX, crowd=True),
        true_object(4, 2, FAR),
    ]
)
FOUND = [
    detection(1, BOX),
    detection(1, BOX, score=0.8),
    detection(1, FAR, score=0.7),
    detection(2, BOX, score=0.6),
    detection(77, BOX, score=0.1),
]
SIDES = {
    **{f"object {error}": (with_objects(TRUTH), error) for error in OBJECT_LOSSES},
    **{f"image {error}": (images(["1.png", "2.png", "3.png"]), error) for error in IMAGE_LOSSES},
}
QUICK = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check_counts(scored: Scored) -> None:
    """Every detection is accounted for once, and errors are numbers that can be searched."""
    notes = {name: count for name, count in scored.notes.items() if isinstance(count, int)}
    lost = [
        "detections_of_images_left_out",
        "detections_of_unknown_category",
        "detections_of_other_categories",
        "detections_below_min_score",
    ]
    kept = sum(notes[f"detections_{status.replace(' ', '_')}"] for status in STATUSES)
    assert kept == notes["detections_matched_against_truth"] == list_matches(scored).height
    assert notes["detections"] == kept + scored.errors_without_sample + sum(
        notes[name] for name in lost
    )
    table = list_matches(scored)
    assert table["iou"].is_between(0, 1).all()
    assert table["score"].is_sorted(descending=True)
    assert scored.errors["error"].is_finite().all()
    assert (scored.errors["error"] >= 0).all()


@pytest.mark.slow
@QUICK
@given(document=mutated(FOUND), side=st.sampled_from(sorted(SIDES)))
def test_mutated_results_are_accounted_for_or_refused_in_words(
    tmp_path: Path, document: Any, side: str
) -> None:
    samples, error = SIDES[side]
    try:
        scored = score(tmp_path, document, TRUTH, samples, asked=BOTH, error=error, min_score=-1e9)
    except PredictionsError as refusal:
        assert str(refusal).encode("utf-8")  # noqa: PT017 - it can be printed
        return
    assert scored.notes["detections"] == len(document)
    check_counts(scored)
    ids = scored.errors["sample_id"]
    curve = sweep_threshold(
        list_matches(scored),
        sample_ids=ids,
        inside=np.arange(len(ids)) == 0,
        error=error,
        image_counts=scored.image_counts,
    )
    assert (curve["error"].drop_nulls() >= -1e-9).all()


@QUICK
@given(data=torn(FOUND))
def test_torn_results_are_accounted_for_or_refused_in_words(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "torn.json"
    file.write_bytes(data)
    with contextlib.suppress(PredictionsError):
        check_counts(score_file(file))


def score_file(file: Path) -> Scored:
    return score_system(
        system("coco-detections", file, error="false-positives"),
        samples=images(["1.png", "2.png"]),
        objects=TRUTH,
        source_images=source_frame(9),
        categories=category_frame(),
    )


def test_numbers_beyond_all_images_are_false_positives(tmp_path: Path) -> None:
    huge = [
        detection(1, (-1e308, -1e308, 1.7e308, 1.7e308)),
        detection(1, (0, 0, 1e300, 1e300)),
        detection(2, (0, 0, 1e200, 1e200)),
        detection(1, (15, 15, 0, 0), score=1e308),
    ]
    scored = score(tmp_path, huge, TRUTH, with_objects(TRUTH), asked=BOTH)
    check_counts(scored)
    assert set(list_matches(scored)["status"]) == {"false positive"}
    assert sum(misses(scored, with_objects(TRUTH)).values()) == 3


def test_of_a_key_that_a_record_has_twice_the_last_counts(tmp_path: Path) -> None:
    file = tmp_path / "twice.json"
    row = '{"image_id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}'
    file.write_text(f"[{row}]")
    assert read_detections(file, source=0)["image_id"].to_list() == ["1"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfe[\x00]\x00", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "is not JSON that can be read"),
        (b'{"annotations": []}', "expected a list of COCO results"),
        (b'"detections"', "expected a list of COCO results"),
        (b"null", "expected a list of COCO results"),
        (b"7", "expected a list of COCO results"),
        (b'[{"image_id": 1', "the file may be cut off"),
        (b"[1e5, -0.5]", "2 of 2 results cannot be used"),
    ],
)
def test_files_that_hold_no_results_are_refused_by_name(
    tmp_path: Path, data: bytes, shown: str
) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(data)
    with pytest.raises(PredictionsError) as caught:
        read_detections(file, source=0)
    assert shown in str(caught.value)
    assert "results.json" in str(caught.value)


def test_a_long_single_line_is_read_and_a_cut_one_is_refused_where_it_ends(tmp_path: Path) -> None:
    rows = orjson.dumps([detection(number, BOX) for number in range(20_000)])
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    whole.write_bytes(rows)
    cut.write_bytes(rows[:-2])
    assert b"\n" not in rows
    assert read_detections(whole, source=0).height == 20_000
    with pytest.raises(PredictionsError, match=r"line 1 column \d{7}.*cut off"):
        read_detections(cut, source=0)


def test_results_of_other_images_are_refused_and_some_of_them_counted(tmp_path: Path) -> None:
    others = [detection(f"{number}.jpg", BOX) for number in range(3)]
    samples = images(["1.png"])
    with pytest.raises(PredictionsError, match="none of the 3 detections is of an image"):
        score(tmp_path, others, TRUTH, samples)
    scored = score(tmp_path, [*others, detection(1, BOX)], TRUTH, samples)
    assert scored.errors_without_sample == 3
    check_counts(scored)


@pytest.mark.parametrize(
    ("side", "total"),
    [
        ("object miss", 3),
        ("object iou-loss", 3),
        ("object score-loss", 3),
        ("object wrong-class", 0),
        ("object duplicates", 0),
        ("image miss", 2),
        ("image misses", 3),
        ("image false-positives", 0),
        ("image f1-loss", 2),
    ],
)
def test_an_empty_list_misses_everything_and_claims_nothing(
    tmp_path: Path, side: str, total: float
) -> None:
    samples, error = SIDES[side]
    scored = score(tmp_path, [], TRUTH, samples, asked=BOTH, error=error)
    check_counts(scored)
    assert scored.errors["error"].sum() == total
    assert scored.errors.height == (2 if side == "image miss" else 3)


def test_these_results_have_every_match_status(tmp_path: Path) -> None:
    more = [*FOUND, detection(2, (400, 400, 5, 5))]
    scored = score(tmp_path, more, TRUTH, with_objects(TRUTH), asked=BOTH)
    assert set(list_matches(scored)["status"]) == set(STATUSES)
    assert list_matches(scored).filter(pl.col("sample_id").is_null()).height == 2
