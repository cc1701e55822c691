"""Every error metric has a record, and a function for each kind of sample that it is of."""

import numpy as np
import pytest

from pipeline.config.error_metrics import METRICS, find_metric, list_metrics
from pipeline.errors.classification import CLASS_LOSSES
from pipeline.errors.detection_losses import (
    DETECTION_LOSSES,
    IMAGE_LOSSES,
    OBJECT_LOSSES,
    ImageCounts,
    ObjectMatches,
)


def test_every_metric_is_computed_for_the_samples_that_its_record_names() -> None:
    for format_name in ("coco-detections", "yolo-detections"):
        assert list_metrics(format_name, sample="object") == list(OBJECT_LOSSES)
        assert list_metrics(format_name, sample="image") == list(IMAGE_LOSSES)
        assert list_metrics(format_name, sample="detection") == list(DETECTION_LOSSES)
    assert list_metrics("classification") == list(CLASS_LOSSES)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_shares_goes_to_1_and_has_words(name: str) -> None:
    metric = find_metric(name)
    if metric.unit == "share":
        assert metric.highest == 1
        assert metric.failed
        assert metric.passed
    if metric.unit == "count":
        assert metric.mean
    assert metric.unit is not None


def test_a_column_of_a_table_is_a_metric_without_words() -> None:
    metric = find_metric("cost")
    assert (metric.failed, metric.meaning, metric.unit) == (None, None, None)
    assert list_metrics("table") == []


def test_losses_of_objects_stay_within_their_range() -> None:
    rng = np.random.default_rng(0)
    found = rng.random(500) < 0.5
    matches = ObjectMatches(
        found=found,
        iou=np.where(found, rng.random(500), 0),
        score=np.where(found, rng.random(500), 0),
        duplicates=rng.poisson(0.3, 500).astype(float),
        wrong_class=rng.random(500) < 0.3,
    )
    for name, loss in OBJECT_LOSSES.items():
        errors = loss(matches)
        assert errors.shape == (500,)
        assert 0 <= errors.min() < errors.max() <= METRICS[name].highest


def test_losses_of_images_stay_within_their_range() -> None:
    rng = np.random.default_rng(0)
    objects = rng.poisson(1, 500).astype(float)
    found = np.floor(objects * rng.random(500))
    counts = ImageCounts(objects, found, rng.poisson(1, 500).astype(float))
    for name, loss in IMAGE_LOSSES.items():
        errors = loss(counts)
        defined = errors[~np.isnan(errors)]
        assert 0 <= defined.min() < defined.max() <= METRICS[name].highest
