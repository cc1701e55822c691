"""Windows lie where objects are, stay inside their image, and know which object they show."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mining.anchor_boxes import choose_anchors, cut_windows, match_windows


def test_anchors_are_where_the_boxes_are() -> None:
    rng = np.random.default_rng(0)
    left = np.array([0.1, 0.4, 0.2, 0.5]) + 0.01 * rng.normal(size=(100, 4))
    right = np.array([0.7, 0.1, 0.1, 0.8]) + 0.01 * rng.normal(size=(100, 4))
    anchors = choose_anchors(np.concatenate([left, right]), count=2)
    assert np.abs(anchors - [[0.1, 0.4, 0.2, 0.5], [0.7, 0.1, 0.1, 0.8]]).max() < 0.02


def test_equal_boxes_give_one_anchor() -> None:
    assert choose_anchors(np.tile([0.1, 0.2, 0.3, 0.4], (50, 1)), count=8).shape == (1, 4)


@settings(max_examples=10)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 99))
def test_windows_lie_inside_their_image(width: int, height: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchors = np.column_stack([rng.uniform(-0.2, 1, (9, 2)), rng.uniform(0, 0.8, (9, 2))])
    image = pl.DataFrame(
        {"sample_id": ["a"], "path": ["a.png"], "width": [width], "height": [height]}
    )
    windows = cut_windows(image, anchors)
    assert ((windows["x"] >= 0) & (windows["y"] >= 0)).all()
    assert ((windows["x"] + windows["w"]) <= width).all()
    assert ((windows["y"] + windows["h"]) <= height).all()
    assert ((windows["w"] >= 1) & (windows["h"] >= 1)).all()


def test_a_window_shows_the_object_that_it_shares_most_with() -> None:
    windows = pl.DataFrame(
        {
            "image_id": ["a", "a", "b"],
            "x": [0.0, 50.0, 0.0],
            "y": [0.0, 0.0, 0.0],
            "w": [10.0, 10.0, 10.0],
            "h": [10.0, 10.0, 10.0],
        }
    )
    objects = pl.DataFrame(
        {
            "sample_id": ["far", "good", "better", "elsewhere"],
            "parent_id": ["a", "a", "a", "c"],
            "x": [20.0, 3.0, 1.0, 0.0],
            "y": [0.0, 0.0, 0.0, 0.0],
            "w": [10.0, 10.0, 10.0, 10.0],
            "h": [10.0, 10.0, 10.0, 10.0],
        }
    )
    assert match_windows(windows, objects).to_list() == ["better", None, None]
