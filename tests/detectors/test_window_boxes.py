"""Boxes of scored windows, and the detector by words, on images with a planted red square."""

import numpy as np
import pytest
from PIL import Image

from pipeline.arrays import Floats
from pipeline.config.boxes import Boxes, ByWords
from pipeline.config.windows import WindowRule
from pipeline.detectors.patches_detector import PatchesDetector, make_patches_detector
from pipeline.detectors.window_boxes import (
    OVERLAP,
    find_boxes,
    find_one_box,
    score_windows,
    suppress,
)
from pipeline.images.windows import list_windows
from tests.flows.windows.color_encoder import ColorEncoder

WORDS = ByWords(
    categories={"square": ("red", "a red thing"), "lawn": ("green",)},
    background=("blue",),
    windows=WindowRule(scales=(1 / 3, 0.5), aspects=(1.0,), stride=0.25),
)


def make(name: str = "patches", words: ByWords = WORDS) -> PatchesDetector:
    encoder = ColorEncoder()
    return make_patches_detector(
        name, words, encode=encoder.encode_images, encode_texts=encoder.encode_texts,
        encoder_id="colors", logit_scale=encoder.logit_scale,
    )  # fmt: skip


def draw(*squares: tuple[int, int, int, int]) -> Image.Image:
    image = Image.new("RGB", (160, 120), "blue")
    for box in squares:
        image.paste((255, 0, 0), box)
    return image


def test_each_planted_square_is_found_once_and_nothing_else() -> None:
    everything = make().detect(draw((10, 20, 50, 60), (100, 50, 140, 90)))
    found = [one for one in everything if one.score > 0.99]
    assert [one.category for one in found] == ["square", "square"]
    for one, (x, y) in zip(
        sorted(found, key=lambda one: one.x), [(10, 20), (100, 50)], strict=True
    ):
        assert (one.x + one.w / 2, one.y + one.h / 2) == pytest.approx((x + 20, y + 20), abs=9)
        assert one.score > 0.99


def test_an_image_without_the_thing_has_no_detection() -> None:
    assert make().detect(draw()) == []
    assert make("patches:one").detect(draw()) == []


def test_one_box_is_around_all_that_is_there() -> None:
    (one,) = make("patches:one").detect(draw((10, 20, 50, 60), (100, 50, 140, 90)))
    assert one.x < 20
    assert one.x + one.w > 130


def test_a_probability_is_that_of_the_category_beside_the_nearest_background() -> None:
    vectors = np.eye(3)
    scores = score_windows(vectors, np.eye(3)[:1], np.eye(3)[1:], logit_scale=2.0)
    assert scores[:, 0] == pytest.approx(
        [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2)), 1 / (1 + np.exp(2))]
    )


def test_a_box_refined_by_its_neighbors_lies_between_them() -> None:
    windows = np.array([[0, 0, 10, 10], [3, 0, 10, 10], [50, 50, 10, 10]], float)
    scores = np.array([[0.9], [0.8], [0.4]])
    (one,) = find_boxes(windows, scores, ("a",), min_score=0.5)
    assert 0 < one.x < 2
    assert (one.y, one.w, one.h, one.score) == pytest.approx((0, 10, 10, 0.9))


def test_suppression_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.uniform(0, 80, (60, 2)), rng.uniform(5, 40, (60, 2))], axis=1)
    scores = rng.random(60).round(1)  # with ties
    kept: list[int] = []
    for place in sorted(range(60), key=lambda one: (-scores[one], one)):
        if all(share(boxes[place], boxes[other]) <= OVERLAP for other in kept):
            kept.append(place)
    assert suppress(boxes, scores) == kept


def share(one: Floats, other: Floats) -> float:
    """Return the shared area by the smaller of two."""
    w = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    h = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, w) * max(0.0, h)
    return float(shared / min(one[2] * one[3], other[2] * other[3]))


def test_the_order_of_windows_changes_nothing() -> None:
    image = draw((10, 20, 50, 60))
    detector = make()
    windows = list_windows(image.width, image.height, detector.windows)
    rng = np.random.default_rng(1)
    scores = rng.random((len(windows), 1))  # no ties
    order = rng.permutation(len(windows))
    one = find_boxes(windows, scores, ("a",), min_score=0.5)
    other = find_boxes(windows[order], scores[order], ("a",), min_score=0.5)
    assert np.array([b[1:] for b in one]) == pytest.approx(np.array([b[1:] for b in other]))
    first = find_one_box(windows, scores, ("a",), min_score=0.5, size=image.size)
    again = find_one_box(windows[order], scores[order], ("a",), min_score=0.5, size=image.size)
    assert first[0][1:] == pytest.approx(again[0][1:])


def test_all_that_decides_boxes_is_in_the_id() -> None:
    ids = {make().detector_id, make("patches:one").detector_id}
    for change in (
        {"background": ("a wall",)},
        {"categories": {"square": ("red",)}},
        {"windows": WindowRule(scales=(0.5,))},
    ):
        ids.add(make(words=WORDS.model_copy(update=change)).detector_id)
    assert len(ids) == 5
    assert make().detector_id in ids


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"detector": "patches"}, "say which"),
        ({"detector": "hog-people", "background": ["a wall"]}, "background: not used"),
        ({"detector": "patches", "categories": {"a": []}}, "expected texts"),
        ({"detector": "patches", "categories": {"a": "b"}, "background": []}, "an empty street"),
        (
            {"detector": "patches", "categories": {"a": "b"}, "windows": {"scales": []}},
            "at least one",
        ),
        (
            {"detector": "patches", "categories": {"a": "b"}, "windows": {"scales": [2]}},
            "less than",
        ),
    ],
)
def test_faulty_settings_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Boxes.model_validate(settings)
