"""Windows over an image: inside it, from edge to edge, in steps that overlap as asked."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from pipeline.config.windows import WindowRule
from pipeline.images.decode import ImageRejectedError
from pipeline.images.windows import list_windows, make_windows


@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    scales=st.lists(st.floats(0.3, 1), min_size=1, max_size=3),
    aspects=st.lists(st.floats(0.3, 3), min_size=1, max_size=2),
)
def test_windows_lie_in_the_image_and_reach_its_edges(
    width: int, height: int, scales: list[float], aspects: list[float]
) -> None:
    rule = WindowRule(scales=tuple(scales), aspects=tuple(aspects), stride=0.5)
    try:
        boxes = list_windows(width, height, rule)
    except ImageRejectedError:  # a thin image has too many of its small windows
        reject()
    assert len(np.unique(boxes, axis=0)) == len(boxes)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] >= 1).all()
    assert boxes[:, 0].min() == boxes[:, 1].min() == 0
    assert (boxes[:, 0] + boxes[:, 2]).max() == width
    assert (boxes[:, 1] + boxes[:, 3]).max() == height


def test_neighbors_are_a_stride_apart_at_most() -> None:
    rule = WindowRule(scales=(0.5,), aspects=(1.0,), stride=0.33)
    boxes = list_windows(320, 224, rule)
    assert set(boxes[:, 2]) == set(boxes[:, 3]) == {112.0}
    for place in (0, 1):
        assert np.diff(np.unique(boxes[:, place])).max() <= 0.33 * 112 + 1


def test_an_aspect_is_width_by_height() -> None:
    rule = WindowRule(scales=(0.5,), aspects=(0.5, 2.0))
    sizes = {(w, h) for w, h in list_windows(300, 200, rule)[:, 2:].tolist()}
    assert sizes == {(50.0, 100.0), (100.0, 50.0)}


def test_an_image_with_far_too_many_windows_is_rejected_and_the_others_are_not() -> None:
    rule = WindowRule(scales=(0.05,), stride=0.1)
    with pytest.raises(ImageRejectedError, match="more than 4,096 windows"):
        list_windows(400, 200, rule)
    images = pl.DataFrame({"content_key": ["b", "a", "a"], "width": [400, 9, 9],
                           "height": [200, 9, 9]})  # fmt: skip
    windows, failed = make_windows(images, rule, make_key=lambda key, box: f"{key}{box}")
    assert set(windows["image_key"]) == {"a"}
    assert windows["content_key"].is_unique().all()
    assert list(failed) == ["b"]
