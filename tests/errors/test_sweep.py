"""Curves over the score threshold equal scoring again with that threshold."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config.error_metrics import METRICS
from pipeline.errors.detection_losses import IMAGE_LOSSES, OBJECT_LOSSES
from pipeline.errors.scored import Scored
from pipeline.errors.sweep import sweep_threshold
from pipeline.tables import DETECTION_MATCHES, SWEEP, empty
from tests.errors.detections import BOX, FAR, detection, list_matches, score
from tests.errors.frames import images, true_object, truth_frame, with_objects
from tests.errors.test_detection_errors import scenes

BOTH = ("person", "dog")
SAME_FOLDER = [HealthCheck.function_scoped_fixture]
Scene = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def sweep(scored: Scored, inside: list[bool], **more: Any) -> pl.DataFrame:
    return sweep_threshold(
        list_matches(scored),
        sample_ids=scored.errors["sample_id"],
        inside=np.array(inside, dtype=np.bool_),
        error=scored.errors["metric"][0],
        image_counts=scored.image_counts,
        **more,
    )


def check_against_scoring_again(
    folder: Path, scene: Scene, samples: pl.DataFrame, error: str
) -> None:
    truth, found = scene
    frame = truth_frame(truth)

    def score_from(threshold: float) -> Scored:
        more = {"asked": BOTH, "error": error, "min_score": threshold, "iou": 0.3}
        return score(folder, found, frame, samples, **more)  # type: ignore[arg-type] # mixed kinds

    scored = score_from(0)
    if scored.errors.is_empty():
        return
    inside = [number % 2 == 0 for number in range(scored.errors.height)]
    curve = sweep(scored, inside, thresholds=[0.1, 0.3, 0.5, 0.9, 0.95])
    for row in curve.iter_rows(named=True):
        errors = score_from(row["threshold"]).errors["error"]
        assert row["error"] == pytest.approx(errors.filter(inside).mean())
        rest = errors.filter(~pl.Series(inside))
        assert row["rest_error"] == pytest.approx(rest.mean()) if len(rest) else not rest.mean()
    assert curve.height == 5


@pytest.mark.slow
@pytest.mark.parametrize("error", [name for name in OBJECT_LOSSES if METRICS[name].has_curve])
@settings(max_examples=12, suppress_health_check=SAME_FOLDER)
@given(scene=scenes())
def test_curves_of_objects_equal_scoring_again(tmp_path: Path, scene: Scene, error: str) -> None:
    samples = with_objects(truth_frame(scene[0]))
    if not samples.is_empty():
        check_against_scoring_again(tmp_path, scene, samples, error)


@pytest.mark.slow
@pytest.mark.parametrize("error", [name for name in IMAGE_LOSSES if METRICS[name].has_curve])
@settings(max_examples=12, suppress_health_check=SAME_FOLDER)
@given(scene=scenes())
def test_curves_of_images_equal_scoring_again(tmp_path: Path, scene: Scene, error: str) -> None:
    samples = images([f"{number}.png" for number in range(1, 5)])
    check_against_scoring_again(tmp_path, scene, samples, error)


TRUTH = truth_frame([true_object(1, 1, BOX), true_object(2, 1, FAR), true_object(3, 2, BOX)])
FOUND = [detection(1, BOX, score=0.2), detection(1, FAR, score=0.5), detection(2, FAR, score=0.9)]


def test_a_planted_curve(tmp_path: Path) -> None:
    samples = with_objects(TRUTH)
    scored = score(tmp_path, FOUND, TRUTH, samples)
    ids = samples.filter(pl.col("parent_id").is_not_null())["sample_id"]
    curve = sweep_threshold(
        list_matches(scored),
        sample_ids=ids,
        inside=np.array([True, True, False]),
        thresholds=[0.6, 0.2, 0.5, 0.2],
    )
    assert curve.schema == pl.Schema(SWEEP)
    assert curve.rows() == [(0.2, 0.0, 1.0), (0.5, 0.5, 1.0), (0.6, 1.0, 1.0)]


def test_thresholds_go_evenly_from_the_lowest_to_the_highest_score(tmp_path: Path) -> None:
    curve = sweep(score(tmp_path, FOUND, TRUTH, with_objects(TRUTH)), [True, False, False])
    assert curve["threshold"].to_list() == pytest.approx(np.linspace(0.2, 0.9, 25).tolist())
    assert curve["threshold"][-1] == 0.9  # so that the last point still has a detection
    assert curve["error"].is_sorted()
    same = [{**row, "score": 0.5} for row in FOUND]
    assert sweep(score(tmp_path, same, TRUTH, with_objects(TRUTH)), [True] * 3).height == 1


def test_a_slice_of_all_or_of_none_has_no_mean_beside_it(tmp_path: Path) -> None:
    scored = score(tmp_path, FOUND, TRUTH, with_objects(TRUTH))
    assert sweep(scored, [True] * 3)["rest_error"].null_count() == 25
    assert sweep(scored, [False] * 3)["error"].null_count() == 25


def test_only_the_rows_asked_for_count(tmp_path: Path) -> None:
    scored = score(tmp_path, FOUND, TRUTH, with_objects(TRUTH))
    first = scored.errors.filter(pl.col("error") == 0)["sample_id"]
    curve = sweep_threshold(
        list_matches(scored), sample_ids=first, inside=np.array([True, True]), thresholds=[0.0]
    )
    assert curve.rows() == [(0.0, 0.0, None)]


def test_wrong_classes_and_systems_without_detections_have_no_curve(tmp_path: Path) -> None:
    samples = with_objects(TRUTH)
    scored = score(tmp_path, FOUND, TRUTH, samples, asked=BOTH, error="wrong-class")
    assert sweep(scored, [True, False, False]).is_empty()
    silent = sweep_threshold(
        empty(DETECTION_MATCHES), sample_ids=pl.Series(["a"]), inside=np.array([True])
    )
    assert silent.is_empty()
    assert silent.schema == pl.Schema(SWEEP)


@settings(max_examples=20, suppress_health_check=SAME_FOLDER)
@given(seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(tmp_path: Path, seed: int) -> None:
    scored = score(tmp_path, FOUND, TRUTH, with_objects(TRUTH))
    order = np.random.default_rng(seed).permutation(3)
    inside = np.array([True, False, True])
    mixed = sweep_threshold(
        list_matches(scored).sample(fraction=1, shuffle=True, seed=seed),
        sample_ids=scored.errors["sample_id"].gather(order),
        inside=inside[order],
    )
    assert mixed.equals(sweep(scored, inside.tolist()))
