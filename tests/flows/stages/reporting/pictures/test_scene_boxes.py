"""What is drawn on whole images of a detector's samples."""

import polars as pl

from flows.stages.reporting.pictures.album import list_heads
from flows.stages.reporting.pictures.scene_boxes import draw_scenes, focus_on
from pipeline.tables import DETECTION_MATCHES, OBJECTS
from reports.site_models import SceneBox

BOX = {"x": 10.0, "y": 10.0, "w": 20.0, "h": 60.0}


def draw() -> tuple[SceneBox, ...]:
    objects = [
        {"path": "a.jpg", "annotation_id": "1", "category": "person", **BOX},
        {"path": "a.jpg", "annotation_id": "2", "category": "person", **BOX, "x": 90.0},
        {"path": "a.jpg", "annotation_id": "3", "category": "person", **BOX, "crowd": True},
        {"path": "b.jpg", "annotation_id": "4", "category": "person", **BOX},
    ]
    matches = [
        {"path": "a.jpg", "category": "person", **BOX, "x": 12.0, "score": 0.9, "iou": 0.8,
         "status": "found", "annotation_id": "1", "sample_id": "s1"},
        {"path": "a.jpg", "category": "person", **BOX, "x": 50.0, "score": 0.4, "iou": 0.0,
         "status": "false positive"},
        {"path": "a.jpg", "category": "person", **BOX, "x": 70.0, "score": 0.3, "iou": 0.6,
         "status": "ignored"},
    ]  # fmt: skip
    frames = [
        pl.DataFrame(rows, schema=dict(schema))
        for rows, schema in ((matches, DETECTION_MATCHES), (objects, OBJECTS))
    ]
    return draw_scenes(["a.jpg"], *frames)["a.jpg"]


def test_objects_are_found_or_missed_and_detections_found_or_false() -> None:
    assert sorted((one.role, one.kind) for one in draw()) == [
        ("detection", "false"), ("detection", "found"), ("truth", "found"), ("truth", "missed"),
    ]  # fmt: skip


def test_the_sample_and_what_found_it_are_in_focus() -> None:
    sample = {"sample_id": "s1", "category": "person", **BOX}
    focused = [one for one in focus_on(sample, draw()) if one.focus]
    assert sorted((one.role, one.kind, one.score) for one in focused) == [
        ("detection", "found", 0.9), ("truth", "found", None),
    ]  # fmt: skip
    other = {"sample_id": "s9", "category": "person", **BOX, "x": 200.0}  # without a detector
    assert [one.kind for one in focus_on(other, ()) if one.focus] == ["true"]
    whole = {"sample_id": "s9", "category": None, "x": None, "y": None, "w": None, "h": None}
    assert focus_on(whole, draw()) == draw()


def test_heads_of_people_and_whole_faces_are_blurred() -> None:
    own = [("Person", (0.0, 0.0, 30.0, 90.0)), ("dog", (0.0, 0.0, 5.0, 5.0))]
    face = SceneBox("true", "truth", (1.0, 2.0, 3.0, 4.0), "face")
    assert list_heads(own, [face]) == [(0.0, 0.0, 30.0, 30.0), (1.0, 2.0, 3.0, 4.0)]
