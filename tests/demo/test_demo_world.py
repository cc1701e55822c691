import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.demo.drawing.figure import draw_figure
from pipeline.demo.drawing.picture import draw_picture, paint_scene
from pipeline.demo.drawing.weather import fog_share
from pipeline.demo.scene_truth import (
    CONDITION_SHARES,
    HEIGHT,
    PERSON_SHARES,
    WIDTH,
    Conditions,
    Person,
    Plan,
    Scene,
    describe,
    draw_scene,
    matches,
)
from pipeline.demo.system import KEEP, LACKING, LEFT_OUT
from pipeline.demo.world import write_world

DAY = Conditions("street", "day", "clear", "sharp")
PLAIN = Person(
    "man", "adult", "none", "no", "dark", "blue", "no", "standing", "none", scale=150.0, x=160.0
)


def values_of(plan: Plan, count: int) -> list[dict[str, str]]:
    rng = np.random.default_rng(0)
    scenes = [draw_scene(rng, plan) for _ in range(count)]
    return [describe(scene.conditions, person) for scene in scenes for person in scene.people]


def test_the_same_seed_and_index_draw_the_same_pixels() -> None:
    first, second = draw_picture(3, 5, Plan()), draw_picture(3, 5, Plan())
    assert first.scene == second.scene
    assert first.boxes == second.boxes
    assert first.image.tobytes() == second.image.tobytes()


def test_another_seed_draws_another_image() -> None:
    assert draw_picture(3, 5, Plan()).image.tobytes() != draw_picture(4, 5, Plan()).image.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_written_world_is_a_prefix_of_a_larger_one(tmp_path: Path, workers: int) -> None:
    small = write_world(tmp_path / "small", images=3, seed=1)
    large = write_world(tmp_path / "large", images=66, seed=1, workers=workers)
    for name in ("0000000.jpg", "0000002.jpg"):
        assert (small.images / name).read_bytes() == (large.images / name).read_bytes()
    lines = small.attributes.read_text().splitlines()
    assert large.attributes.read_text().splitlines()[: len(lines)] == lines


def test_annotations_boxes_and_truth_belong_together(tmp_path: Path) -> None:
    world = write_world(tmp_path, images=12, seed=2)
    coco = json.loads(world.annotations.read_text())
    with world.attributes.open(newline="") as file:
        truth = list(csv.DictReader(file))
    names = {entry["id"]: entry["file_name"] for entry in coco["images"]}
    assert len(names) == world.n_images == 12
    assert world.n_people == len(truth) == len(coco["annotations"])
    for row, annotation in zip(truth, coco["annotations"], strict=True):
        assert row["annotation_id"] == str(annotation["id"])
        assert row["path"] == names[annotation["image_id"]]
        x, y, w, h = annotation["bbox"]
        assert x >= 0
        assert y >= 0
        assert x + w <= WIDTH
        assert y + h <= HEIGHT
        assert min(w, h) >= 8
        for attribute, shares in {**CONDITION_SHARES, **PERSON_SHARES}.items():
            assert row[attribute] in shares
    with Image.open(world.images / names[1]) as image:
        assert image.size == (WIDTH, HEIGHT)


def test_conditions_are_written_once_an_image(tmp_path: Path) -> None:
    world = write_world(tmp_path, images=5, seed=2)
    with world.conditions.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"{index:07d}.jpg" for index in range(5)]
    assert set(rows[0]) == {"path", *CONDITION_SHARES}


def test_every_value_occurs_about_as_often_as_planned() -> None:
    people = values_of(Plan(), 2500)
    for attribute in ("sex", "headwear", "glasses", "clothing", "vest", "pose", "occlusion"):
        for value, share in PERSON_SHARES[attribute].items():
            found = sum(person[attribute] == value for person in people) / len(people)
            assert found == pytest.approx(share, abs=0.04)


@pytest.mark.slow
def test_left_out_groups_are_few_and_the_rest_is_there() -> None:
    lacking, usual = values_of(LACKING, 1500), values_of(Plan(), 1500)
    for group in LEFT_OUT:
        few = sum(matches(person, group) for person in lacking) / len(lacking)
        share = sum(matches(person, group) for person in usual) / len(usual)
        assert share > 0.03
        assert few < 3 * KEEP * share + 0.01
    assert any(matches(person, (("age", "senior"),)) for person in lacking)
    assert any(matches(person, (("weather", "rain"),)) for person in lacking)


def test_the_box_holds_the_drawn_person() -> None:
    scene = Scene(DAY, (PLAIN,))
    picture = paint_scene(scene, np.random.default_rng(0))
    x, y, w, h = picture.boxes[0]
    assert x < PLAIN.x < x + w
    assert y + h == pytest.approx(PLAIN.floor, abs=3)
    assert h == pytest.approx(PLAIN.scale, rel=0.1)


def test_proportions_tell_a_child_from_an_adult() -> None:
    child = Person(**{**PLAIN.__dict__, "age": "child"})
    figures = [
        draw_figure(person, np.random.default_rng(1)).image.getchannel("A").getbbox()
        for person in (PLAIN, child)
    ]
    heights = [box[3] - box[1] for box in figures if box]
    assert heights[1] < 0.75 * heights[0]


def test_edges_are_antialiased() -> None:
    alpha = np.asarray(draw_figure(PLAIN, np.random.default_rng(0)).image.getchannel("A"))
    assert ((alpha > 0) & (alpha < 255)).sum() > 100


def test_night_is_darker_and_fog_is_paler_than_a_clear_day() -> None:
    means, spreads = {}, {}
    for name, time, weather in (
        ("day", "day", "clear"),
        ("night", "night", "clear"),
        ("fog", "day", "fog"),
    ):
        scene = Scene(Conditions("street", time, weather, "sharp"), (PLAIN,))
        pixels = np.asarray(paint_scene(scene, np.random.default_rng(2)).image, dtype=np.float64)
        means[name], spreads[name] = pixels.mean(), pixels.std()
    assert means["night"] < 0.6 * means["day"]
    assert spreads["fog"] < 0.7 * spreads["day"]


def test_a_blurred_image_has_weaker_edges() -> None:
    edges = {}
    for focus in ("sharp", "blurred"):
        scene = Scene(Conditions("street", "day", "clear", focus), (PLAIN,))
        gray = np.asarray(
            paint_scene(scene, np.random.default_rng(2)).image.convert("L"), np.float64
        )
        edges[focus] = np.percentile(np.abs(np.diff(gray, axis=1)), 98)
    assert edges["blurred"] < 0.6 * edges["sharp"]


def test_fog_takes_more_of_what_is_farther() -> None:
    foggy = Conditions("street", "day", "fog", "sharp")
    assert 0 < fog_share(foggy, 1.0, 0.5) < fog_share(foggy, 2.0, 0.5) < 1
    assert fog_share(DAY, 2.0, 0.5) == 0


def test_a_partly_hidden_person_loses_pixels_and_keeps_the_whole_box() -> None:
    hidden = Person(**{**PLAIN.__dict__, "occlusion": "partial"})
    whole, covered = (
        paint_scene(Scene(DAY, (person,)), np.random.default_rng(4)) for person in (PLAIN, hidden)
    )
    assert covered.boxes[0][3] == pytest.approx(whole.boxes[0][3], abs=2)
    assert covered.image.tobytes() != whole.image.tobytes()
