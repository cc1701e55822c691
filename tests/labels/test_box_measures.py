"""Positions of boxes: borders, positions, shares, and overlaps against counting every pair."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exceptions import ConfigError
from pipeline.labels.attribute_file import Attribute, find_shipped, read_attribute
from pipeline.labels.box_measures import find_overlaps
from pipeline.labels.measure_names import BOX_MEASURES
from pipeline.labels.measured import bin_values, needs_boxes, resolve_edges, take_values
from pipeline.tables import OBJECTS, SAMPLES

Box = Sequence[float]
WIDE, HIGH = 100, 50  # of every image


def samples_of(boxes: Sequence[Box], *, path: str = "a.png") -> pl.DataFrame:
    """Make objects that are samples, with annotation ids that count from 0."""
    rows = [
        {
            "sample_id": f"s{number}",
            "path": path,
            "parent_id": path,
            "annotation_id": str(number),
            "width": WIDE,
            "height": HIGH,
            **dict(zip("xywh", map(float, box), strict=True)),
        }
        for number, box in enumerate(boxes)
    ]
    return pl.DataFrame(rows, schema=dict(SAMPLES))


def objects_of(boxes: Sequence[Box], *, first: int = 100, **more: Any) -> pl.DataFrame:
    """Make objects of the truth, with annotation ids that count from `first`."""
    rows = [
        {
            "source": 0,
            "path": "a.png",
            "annotation_id": str(number),
            "crowd": False,
            "ignore": False,
            **dict(zip("xywh", map(float, box), strict=True)),
            **more,
        }
        for number, box in enumerate(boxes, start=first)
    ]
    return pl.DataFrame(rows, schema=dict(OBJECTS))


def measure(
    name: str, boxes: Sequence[Box], objects: pl.DataFrame | None = None
) -> list[float | None]:
    attribute = Attribute(name="x", kind="measured", measure=name, quantiles=2)
    samples = samples_of(boxes)
    values = take_values(attribute, samples, objects=objects)
    assert values["sample_id"].equals(samples["sample_id"])
    return values["value"].to_list()


@pytest.mark.parametrize(
    ("box", "sides"),
    [
        ((10, 10, 20, 20), 0),
        ((0, 10, 20, 20), 1),
        ((1, 10, 20, 20), 1),
        ((1.01, 10, 20, 20), 0),
        ((79, 10, 20, 20), 1),
        ((78.9, 10, 20, 20), 0),
        ((-5, 10, 20, 20), 1),
        ((80, 30, 20, 20), 2),
        ((95, 45, 20, 20), 2),
        ((0, 0, WIDE, HIGH), 4),
        ((-9, -9, 500, 500), 4),
    ],
)
def test_truncated_counts_the_sides_touched_within_a_pixel(box: Box, sides: int) -> None:
    assert measure("box_truncated", [box]) == [sides]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("box_center_x", 0.05), ("box_center_y", 0.9), ("box_relative_area", 0.02)],
)
def test_a_box_partly_outside_counts_with_its_inside(name: str, expected: float) -> None:
    assert measure(name, [(-30, 40, 40, 40)]) == pytest.approx([expected])


@pytest.mark.parametrize("name", BOX_MEASURES)
def test_a_box_without_a_part_inside_is_unknown(name: str) -> None:
    values = measure(name, [(WIDE, 0, 5, 5), (10, 10, 0, 5), (10, 10, 5, 5)])
    assert values[:2] == [None, None]
    assert values[2] is not None


def test_a_box_alone_is_not_crowded() -> None:
    assert measure("box_crowding", [(10, 10, 20, 20)]) == [0.0]


def test_identical_boxes_cover_each_other_fully() -> None:
    assert measure("box_crowding", [(10.1, 10.3, 20.7, 20.9)] * 3) == [1.0] * 3


def test_the_share_is_of_the_own_box_and_of_the_neighbour_that_covers_most() -> None:
    boxes = [(0, 0, 10, 10), (5, 0, 20, 20), (9, 9, 1, 1)]
    assert measure("box_crowding", boxes) == pytest.approx([0.5, 50 / 400, 1.0])


def test_boxes_that_only_touch_do_not_overlap() -> None:
    boxes = [(0, 0, 10, 10), (10, 0, 10, 10), (0, 10, 10, 10)]
    assert measure("box_crowding", boxes) == [0.0] * 3


def test_what_lies_outside_the_image_covers_nothing() -> None:
    boxes = [(-10, 0, 20, 10), (-10, 0, 15, 10)]
    assert measure("box_crowding", boxes) == [0.5, 1.0]


def test_neighbours_that_are_no_samples_count_but_crowds_and_the_object_itself_do_not() -> None:
    own = [(10, 10, 20, 20)]
    itself = objects_of(own, first=0)
    assert measure("box_crowding", own, itself) == [0.0]
    assert measure("box_crowding", own, objects_of(own, crowd=True)) == [0.0]
    assert measure("box_crowding", own, objects_of(own, ignore=True)) == [1.0]
    assert measure("box_crowding", own, objects_of([(20, 10, 4, 20)])) == [0.2]
    assert measure("box_crowding", own, objects_of(own, path="b.png")) == [0.0]


def test_a_box_of_another_image_is_no_neighbour() -> None:
    box = (10, 10, 20, 20)
    samples = pl.concat(
        [samples_of([box], path="a.png"), samples_of([box], path="b.png")]
    ).with_columns(sample_id=pl.Series(["s0", "s1"]))
    crowding = Attribute(name="x", kind="measured", measure="box_crowding", quantiles=2)
    assert take_values(crowding, samples)["value"].to_list() == [0.0, 0.0]


def count_every_pair(groups: npt.NDArray[np.int64], boxes: npt.NDArray[np.float64]) -> list[float]:
    """Return the largest covered share of each box; the oracle of `find_overlaps`."""
    found = [0.0] * len(boxes)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    for one, other in itertools.permutations(range(len(boxes)), 2):
        low = np.maximum(boxes[one, :2], boxes[other, :2])
        sides = np.minimum(boxes[one, 2:], boxes[other, 2:]) - low
        if groups[one] == groups[other] and (sides > 0).all():
            found[one] = max(found[one], sides.prod() / area[one])
    return found


PLACE = st.integers(0, 12).map(float)
SIDE = st.integers(1, 8).map(float)
SCENES = st.lists(st.tuples(st.integers(0, 2), PLACE, PLACE, SIDE, SIDE), max_size=25)


@settings(max_examples=200)
@given(scene=SCENES, seed=st.integers(0, 9))
def test_overlaps_are_those_of_every_pair_in_any_order(
    scene: list[tuple[int, float, float, float, float]], seed: int
) -> None:
    groups = np.array([row[0] for row in scene], dtype=np.int64)
    boxes = np.array([(x, y, x + w, y + h) for _, x, y, w, h in scene]).reshape(-1, 4)
    found = find_overlaps(groups, boxes)
    assert found.tolist() == pytest.approx(count_every_pair(groups, boxes))
    mixed = np.random.default_rng(seed).permutation(len(scene))
    assert find_overlaps(groups[mixed], boxes[mixed]).tolist() == found[mixed].tolist()


def test_no_box_is_an_answer_too() -> None:
    empty = find_overlaps(np.array([], dtype=np.int64), np.empty((0, 4)))
    assert empty.shape == (0,)
    attribute = read_attribute(find_shipped("object/crowding"))
    assert take_values(attribute, samples_of([])).is_empty()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("truncated", ["no", "yes", "yes"]),
        ("crowding", ["up to 10 %", "10 to 50 %", "over 50 %"]),
        ("position", ["middle", "right", "right"]),
        ("vertical_position", ["top", "middle", "bottom"]),
        ("relative_area", ["up to 1 %", "1 to 10 %", "up to 1 %"]),
    ],
)
def test_shipped_attributes_of_boxes_name_their_bins(name: str, values: list[str]) -> None:
    attribute = read_attribute(find_shipped(f"object/{name}"))
    assert needs_boxes(attribute)
    samples = samples_of([(35, 2, 3, 3), (80, 20, 20, 10), (90, 45, 2, 5)])
    neighbors = objects_of([(80, 20, 20, 3), (90, 45, 2, 3)])
    numbers = take_values(attribute, samples, objects=neighbors)
    edges = resolve_edges(attribute, numbers["value"])
    labels = bin_values(attribute, numbers, edges=edges, label_id="id")
    assert labels["value"].to_list() == values


@pytest.mark.parametrize("name", BOX_MEASURES)
def test_whole_images_are_refused_with_what_to_do(name: str) -> None:
    images = pl.DataFrame([{"sample_id": "a", "width": 9, "height": 9}], schema=dict(SAMPLES))
    attribute = Attribute(name="mine", kind="measured", measure=name, quantiles=2)
    with pytest.raises(
        ConfigError, match=r"'mine' .*whole images have none; .*sample = \"object\""
    ):
        take_values(attribute, images)
