import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.demo.person_detector import _loss, _make_target, _read_boxes, predict, train_detector
from pipeline.demo.pixels import SHRINK
from pipeline.demo.scene_truth import HEIGHT, WIDTH, Plan
from pipeline.demo.system import draw_sample, train_system, write_predictions
from pipeline.demo.world import write_world

BOXES = [(10.0, 20.0, 40.0, 90.0), (150.0, 60.0, 61.5, 142.25)]


def test_what_a_target_says_is_read_back_as_the_boxes() -> None:
    target = _make_target(BOXES)
    rest = target[1:5].copy()
    rest[0] -= 3.8  # the head's zero is an average person
    rest[1] -= 4.6
    heat = np.where(target[5] > 0, np.float32(0.9), np.float32(0))
    found = _read_boxes(heat, rest, 0.5)
    assert sorted(item.box for item in found) == [pytest.approx(box, abs=1e-3) for box in BOXES]


def test_a_perfect_output_costs_less_than_a_wrong_one() -> None:
    target = torch.from_numpy(_make_target(BOXES))[None]
    perfect = target[:, :5].clone()
    perfect[:, 0] = torch.where(target[:, 5] > 0, 8.0, -8.0)
    perfect[:, 1] -= 3.8
    perfect[:, 2] -= 4.6
    wrong = perfect.clone()
    wrong[:, 1] += 1
    absent = perfect.clone()
    absent[:, 0] = -8
    assert _loss(perfect, target) < 0.01
    assert _loss(wrong, target) > _loss(perfect, target) + 0.5
    assert _loss(absent, target) > _loss(perfect, target) + 1


def test_the_sample_is_half_the_images_size_and_the_same_for_any_workers() -> None:
    alone, boxes = draw_sample(Plan(), images=3, seed=1)
    assert alone[0].shape == (HEIGHT // SHRINK, WIDTH // SHRINK, 3)
    both, boxes_again = draw_sample(Plan(), images=3, seed=1, workers=2)
    assert boxes == boxes_again
    assert all(np.array_equal(left, right) for left, right in zip(alone, both, strict=True))


@pytest.mark.slow
def test_training_twice_gives_the_same_detections() -> None:
    images, boxes = draw_sample(Plan(), images=32, seed=1)
    runs = [
        predict(train_detector(images, boxes, seed=3, epochs=1), images[:4], min_score=0.0)
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_detections_do_not_depend_on_the_other_images() -> None:
    images, boxes = draw_sample(Plan(), images=32, seed=1)
    network = train_detector(images, boxes, seed=3, epochs=1)
    together = predict(network, images[:3], min_score=0.0)
    alone = [predict(network, [image], min_score=0.0)[0] for image in images[:3]]
    for left, right in zip(together, alone, strict=True):
        assert [item.score for item in left] == pytest.approx(
            [item.score for item in right], abs=1e-4
        )


@pytest.mark.slow
def test_predictions_are_written_as_coco_results(tmp_path: Path) -> None:
    world = write_world(tmp_path / "world", images=4, seed=0)
    network = train_system(Plan(), seed=0, images=32)
    file = tmp_path / "detections.json"
    count = write_predictions(network, world.annotations, world.images, file)
    rows = json.loads(file.read_text())
    assert len(rows) == count
    for row in rows:
        assert set(row) == {"image_id", "category_id", "bbox", "score"}
        assert 1 <= row["image_id"] <= 4
        assert row["category_id"] == 1
