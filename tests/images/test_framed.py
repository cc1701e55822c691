import io
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.images.decode import ImageRejectedError
from pipeline.images.framed import draw_sample

GRAY = 100


def draw(size: tuple[int, int], box: tuple[float, float, float, float]) -> NDArray[np.int16]:
    """Return the brightness of what is shown of a gray image."""
    made = draw_sample(Image.new("RGB", size, (GRAY,) * 3), box, side=640)
    return np.asarray(Image.open(io.BytesIO(made)).convert("L")).astype(np.int16)


def test_a_whole_image_is_shown_whole_and_not_enlarged() -> None:
    for size, shown in (((2000, 1000), (640, 320)), ((40, 30), (40, 30))):
        made = draw_sample(Image.new("RGB", size), None, side=640)
        assert Image.open(io.BytesIO(made)).size == shown


def test_an_object_is_shown_with_half_of_itself_around_it_in_a_frame() -> None:
    shown = draw((1000, 1000), (400.0, 400.0, 200.0, 100.0))  # shown: 300 to 700, 300 to 600
    assert shown.shape == (480, 640)
    middle = shown[240]
    light = np.flatnonzero(middle > 200)
    scale = 640 / 400
    assert light.min() == pytest.approx(100 * scale, abs=4)
    assert light.max() == pytest.approx(300 * scale, abs=4)
    inside = shown[170:310, 170:470]
    assert np.abs(inside - GRAY).max() < 40  # nothing is drawn over the object


def test_a_tiny_object_is_enlarged_with_its_surroundings() -> None:
    shown = draw((500, 500), (250.0, 250.0, 4.0, 4.0))
    assert shown.shape == (36 * 8, 36 * 8)


@pytest.mark.parametrize("box", [(-20.0, -20.0, 60.0, 60.0), (0.0, 0.0, 100.0, 80.0),
                                 (99.5, 79.5, 50.0, 50.0), (0.0, 40.0, 0.5, 0.5)])  # fmt: skip
def test_a_box_at_the_border_is_shown_within_the_image(
    box: tuple[float, float, float, float],
) -> None:
    shown = draw((100, 80), box)
    assert min(shown.shape) > 1
    assert max(shown.shape) <= 640


@pytest.mark.parametrize("box", [(200.0, 0.0, 10.0, 10.0), (0.0, -20.0, 10.0, 10.0),
                                 (math.nan, 0.0, 1.0, 1.0), (0.0, 0.0, math.inf, 1.0)])  # fmt: skip
def test_a_box_that_shows_nothing_is_rejected(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ImageRejectedError, match="its box"):
        draw((100, 80), box)
