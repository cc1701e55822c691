"""OpenCV's detectors on drawn images and on photographs."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.detectors.detector import Detection
from pipeline.detectors.load import load_detector
from pipeline.exceptions import ConfigError
from pipeline.images.decode import load_image
from tests.drawn_images import noise

DATA = Path("../shared/data")
NAMES = ("yunet-faces", "hog-people", "haar-faces")
needs_photographs = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")


def overlap(one: Detection, box: tuple[float, ...]) -> float:
    """Return the intersection over union of a detection and a box."""
    x, y, w, h = box
    width = min(one.x + one.w, x + w) - max(one.x, x)
    height = min(one.y + one.h, y + h) - max(one.y, y)
    inner = max(width, 0) * max(height, 0)
    return inner / (one.w * one.h + w * h - inner)


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_image_holds_nothing(name: str) -> None:
    assert load_detector(name).detect(Image.new("RGB", (200, 300), "gray")) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (400, 2), (2, 400), (64, 128)])
def test_an_image_of_any_size_is_taken(name: str, size: tuple[int, int]) -> None:
    assert isinstance(load_detector(name).detect(noise(size=size)), list)


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_keeps_its_id(name: str) -> None:
    first, second = load_detector(name), load_detector(name)
    assert first.name == name
    assert first.detector_id == second.detector_id
    assert len({load_detector(other).detector_id for other in NAMES}) == len(NAMES)


@pytest.mark.slow
@needs_photographs
def test_hog_people_gives_the_detections_of_the_test_data_exactly() -> None:
    detector = load_detector("hog-people")
    written: dict[int, set[tuple[float, ...]]] = {}
    for row in json.loads((DATA / "coco_mini/hog_people_val2017.json").read_text()):
        written.setdefault(row["image_id"], set()).add((*row["bbox"], row["score"]))
    for image_id in list(written)[:8]:
        image = load_image(DATA / f"coco_mini/val2017/{image_id:012}.jpg")
        found = {(*one[1:5], round(one.score, 4)) for one in detector.detect(image)}
        assert found == written[image_id]


@pytest.mark.slow
@needs_photographs
def test_haar_faces_come_close_to_those_of_the_test_data() -> None:
    found = count_faces("haar-faces", json.loads(read("celeba/haar_detections.json")), count=60)
    assert found >= 55


@needs_photographs
def test_yunet_finds_nearly_every_face_of_portraits() -> None:
    assert count_faces("yunet-faces", json.loads(read("celeba/faces.json"))["annotations"]) >= 58


def read(path: str) -> str:
    return (DATA / path).read_text(encoding="utf-8")


def count_faces(name: str, rows: list[dict[str, Any]], count: int = 60) -> int:
    """Count the first boxes of `rows` that the detector's best face overlaps by half."""
    detector = load_detector(name)
    files = {i["id"]: i["file_name"] for i in json.loads(read("celeba/faces.json"))["images"]}
    hits = 0
    for row in rows[:count]:
        image = load_image(DATA / "celeba/images" / Path(files[row["image_id"]]).name)
        seen = detector.detect(image)
        assert all(one.category == "face" and np.isfinite(one[1:]).all() for one in seen)
        assert [one.score for one in seen] == sorted((one.score for one in seen), reverse=True)
        hits += any(overlap(one, tuple(row["bbox"])) > 0.4 for one in seen)
    return hits


@needs_photographs
@pytest.mark.parametrize("name", NAMES)
def test_threads_see_what_one_thread_sees(name: str) -> None:
    detector = load_detector(name)
    paths = sorted((DATA / "celeba/images").iterdir())[:12]
    images = [load_image(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, images)) == [detector.detect(i) for i in images]


@needs_photographs
def test_a_huge_image_is_processed_smaller_and_its_boxes_are_of_the_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = load_detector("yunet-faces")
    portrait = load_image(min((DATA / "celeba/images").iterdir()))
    (face,) = detector.detect(portrait)
    monkeypatch.setattr("pipeline.detectors.opencv_detectors.MAX_SIDE", max(portrait.size))
    (same,) = detector.detect(portrait.resize((3 * portrait.width, 3 * portrait.height)))
    assert overlap(same, tuple(3 * side for side in face[1:5])) > 0.9


def test_without_the_weights_of_yunet_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"weakspot\[detectors\]"):
        load_detector("yunet-faces")
