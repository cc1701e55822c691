"""Detections of Ultralytics models: label files with a confidence."""

import contextlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.config.audit import Audit
from pipeline.errors.results_file import read_detections
from pipeline.errors.score import score_system
from pipeline.errors.scored import Scored
from pipeline.errors.yolo_results import read_yolo_detections
from pipeline.exceptions import PredictionsError
from tests.errors.detections import list_matches
from tests.errors.frames import system
from tests.samples.datasets import write_json
from tests.samples.yolo_folder import read_yolo

FOUND = {
    "a": "0 0.5 0.5 0.5 0.5 0.9\n0 0.25 0.5 0.5 1.0 0.8\n",  # the second one is a dog
    "c": "1 0.5 0.5 0.1 0.1 0.3\n",  # nothing is there
}


def write_results(folder: Path, files: dict[str, str] | dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.txt").write_bytes(data)
    return folder


def score_yolo(folder: Path, results: Path, *, sample: str, error: str) -> Scored:
    found = read_yolo(folder / "set", images=str(folder / "set/images"), sample=sample)
    return score_system(
        system("yolo-detections", results, error=error),
        samples=found.samples,
        objects=found.objects,
        source_images=found.source_images,
        categories=found.categories,
    )


def test_label_files_are_scored_in_pixels(tmp_path: Path) -> None:
    results = write_results(tmp_path / "labels", FOUND)
    scored = score_yolo(tmp_path, results, sample="image", error="false-positives")
    table = list_matches(scored)
    assert table.select("path", "status", "score").rows() == [
        ("train/a.png", "found", 0.9),
        ("train/a.png", "wrong class", 0.8),
        ("val/c.png", "false positive", 0.3),
    ]
    assert table.select(*"xywh").row(0) == (8.0, 6.0, 16.0, 12.0)  # of 32 x 24 pixels
    assert scored.errors["error"].to_list().count(1.0) == 2
    objects = score_yolo(tmp_path, results, sample="object", error="wrong-class")
    assert sorted(objects.errors["error"]) == [0.0, 0.0, 1.0]
    assert objects.notes["detections_of_images_left_out"] == 1  # c holds no object


def test_label_files_equal_coco_results_of_the_same_boxes(tmp_path: Path) -> None:
    yolo = read_yolo_detections(write_results(tmp_path / "labels", FOUND), source=0)
    rows = [
        {"image_id": "a", "category_id": 0, "bbox": [0.25, 0.25, 0.5, 0.5], "score": 0.9},
        {"image_id": "a", "category_id": 0, "bbox": [0.0, 0.0, 0.5, 1.0], "score": 0.8},
        {"image_id": "c", "category_id": 1, "bbox": [0.45, 0.45, 0.1, 0.1], "score": 0.3},
    ]
    assert yolo.equals(read_detections(write_json(tmp_path / "coco.json", rows), source=0))


def test_error_id_follows_the_label_files(tmp_path: Path) -> None:
    ids = []
    for files in (FOUND, FOUND, {**FOUND, "b": ""}, {**FOUND, "b": "0 0.5 0.5 0.1 0.1 0.9"}):
        results = write_results(tmp_path / "labels", files)
        ids.append(score_yolo(tmp_path, results, sample="image", error="miss").error_id)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_results_of_other_images_are_counted_and_of_none_known_refused(tmp_path: Path) -> None:
    results = write_results(tmp_path / "labels", {**FOUND, "z": "0 0.5 0.5 0.1 0.1 0.9"})
    scored = score_yolo(tmp_path, results, sample="image", error="miss")
    assert scored.errors_without_sample == 1
    other = write_results(tmp_path / "others", {"z": "0 0.5 0.5 0.1 0.1 0.9"})
    with pytest.raises(PredictionsError, match="none of the 1 detections is of an image"):
        score_yolo(tmp_path, other, sample="image", error="miss")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("0 0.5 0.5 0.5 0.5", "has 5 values, expected class cx cy w h confidence"),
        ("0 0.5 0.5 0.5 0.5 0.9 7", "has 7 values"),
        ("0 0.5 0.5 0.5 0.5 nan", "is not made of finite numbers"),
        ("0 0.5 inf 0.5 0.5 0.9", "is not made of finite numbers"),
        ("0 0.5 a 0.5 0.5 0.9", "is not made of finite numbers"),
        ("-1 0.5 0.5 0.5 0.5 0.9", "does not start with the index of a class"),
        ("person 0.5 0.5 0.5 0.5 0.9", "does not start with the index of a class"),
        ("0 0.5 0.5 -0.5 0.5 0.9", "has a negative side"),
        ("0 120 80 32 24 0.9", "is in pixels, expected shares of the image"),
    ],
)
def test_bad_lines_are_refused_with_their_file_and_number(
    tmp_path: Path, line: str, shown: str
) -> None:
    results = write_results(tmp_path / "labels", {"a": FOUND["a"] + "\n" + line, "b": line})
    with pytest.raises(PredictionsError) as caught:
        read_yolo_detections(results, source=0)
    assert shown in str(caught.value)
    assert "a.txt line 4: " in str(caught.value)
    assert "b.txt line 1: " in str(caught.value)
    assert "2 of 4 lines cannot be used" in str(caught.value)


def test_many_bad_lines_are_cut_to_twenty_and_a_count(tmp_path: Path) -> None:
    results = write_results(tmp_path / "labels", {"a": "x\n" * 50})
    with pytest.raises(PredictionsError, match=r"(?s)50 of 50 lines.*line 20: .*and 30 more"):
        read_yolo_detections(results, source=0)


def test_what_is_no_folder_of_label_files_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("")
    with pytest.raises(PredictionsError, match="is a file, expected a folder"):
        read_yolo_detections(file, source=0)
    with pytest.raises(PredictionsError, match="there is no such folder"):
        read_yolo_detections(tmp_path / "none", source=0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PredictionsError, match=r"holds no \.txt file; .*save_txt=True"):
        read_yolo_detections(tmp_path / "empty", source=0)
    binary = write_results(tmp_path / "binary", {"a": b"\xff\xfe0"})
    with pytest.raises(PredictionsError, match=r"a\.txt: byte 0 is not UTF-8"):
        read_yolo_detections(binary, source=0)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_torn_label_files_are_read_or_refused_in_words(
    tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(FOUND["a"].encode() * 2)
    for place, value in changes:
        data[place % len(data)] = value
    results = write_results(tmp_path / "labels", {"a": bytes(data)})
    with contextlib.suppress(PredictionsError):
        frame = read_yolo_detections(results, source=0)
        assert frame.height <= 8
        assert frame.select(pl.col(*"xywh", "score").is_finite().all()).row(0) == (True,) * 5


def test_label_files_need_the_names_of_a_yolo_dataset() -> None:
    def ask(kind: str) -> Audit:
        dataset = {"format": kind, "images": "images", "annotations": "data.yaml"}
        one = {"name": "v8", "format": "yolo-detections", "predictions": "labels", "error": "miss"}
        return Audit.model_validate(
            {"name": "a", "dataset": dataset, "attributes": {"given": ["split"]}, "systems": [one]}
        )

    assert ask("yolo").systems[0].predictions[0].name == "labels"
    with pytest.raises(ValidationError, match="needs a dataset of format"):
        ask("coco")
