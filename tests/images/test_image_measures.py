"""Crops, measures and thumbnails of images that are loaded."""

import io

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.config.dataset import CropRule
from pipeline.images.crop import crop_image, find_small, make_thumbnail
from pipeline.images.decode import ImageRejectedError
from pipeline.images.measure import MEASURES, measure_image
from tests.drawn_images import left_red_right_blue, noise


def test_a_crop_has_its_margin_and_stays_inside() -> None:
    image = left_red_right_blue(100, 50)
    crop = crop_image(image, (20, 10, 20, 20), CropRule(margin=0.5, min_size=4))
    assert crop.size == (40, 40)
    corner = crop_image(image, (0, 0, 20, 20), CropRule(margin=0.5, min_size=4))
    assert corner.size == (30, 30)


@pytest.mark.parametrize(
    ("box", "margin", "size"),
    [
        ((40, 20, 10, 6), 0, (10, 10)),
        ((40, 20, 6, 10), 0, (10, 10)),
        ((40, 20, 10, 6), 0.5, (20, 20)),
        ((40.5, 20.5, 10, 6), 0, (11, 11)),
        ((10, 0, 80, 20), 0, (80, 50)),  # clipped: the image is 50 high
        ((0, 20, 4, 10), 0, (7, 10)),  # clipped at the left border, 3 pixels outside
    ],
)
def test_a_square_crop_widens_the_shorter_side_around_its_center(
    box: tuple[float, float, float, float], margin: float, size: tuple[int, int]
) -> None:
    image = left_red_right_blue(100, 50)
    crop = crop_image(image, box, CropRule(margin=margin, min_size=1, square=True))
    assert crop.size == size


def test_a_square_crop_holds_the_plain_crop_in_its_middle() -> None:
    image = noise(size=(100, 50))
    rule = CropRule(margin=0, min_size=1)
    plain = crop_image(image, (40, 20, 4, 10), rule)
    square = crop_image(image, (40, 20, 4, 10), rule.model_copy(update={"square": True}))
    assert np.array_equal(np.asarray(square)[:, 3:7], np.asarray(plain))


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((200.0, 0.0, 10.0, 10.0), "outside"),
        ((10.0, 10.0, 0.0, 10.0), "outside"),
        ((float("nan"), 0.0, 10.0, 10.0), "finite"),
    ],
)
def test_a_useless_box_is_rejected(box: tuple[float, float, float, float], reason: str) -> None:
    with pytest.raises(ImageRejectedError, match=reason):
        crop_image(left_red_right_blue(100, 50), box, CropRule())


@pytest.mark.parametrize(
    ("box", "size"),
    [((10.0, 10.0, 3.0, 10.0), (3, 10)), ((-8.0, 0.0, 8.2, 0.4), (1, 1))],
)
def test_a_small_box_is_cut_whatever_its_size(
    box: tuple[float, float, float, float], size: tuple[int, int]
) -> None:
    crop = crop_image(left_red_right_blue(100, 50), box, CropRule(margin=0))
    assert crop.size == size
    assert set(measure_image(crop)) == set(MEASURES)


def test_small_are_objects_with_a_short_side_inside_their_image() -> None:
    boxes = [(1, 2, 30, 20), (1, 2, 7.9, 20), (28, 2, 20, 20), (-9, -9, 17, 17), (None,) * 4]
    samples = pl.DataFrame(
        [(*box, 32, 24) for box in boxes],
        schema=["x", "y", "w", "h", "width", "height"],
        orient="row",
    )
    assert find_small(samples, min_size=8).to_list() == [False, True, True, False, False]


@given(
    box=st.tuples(*[st.floats(-200, 300, allow_nan=False)] * 4),
    margin=st.floats(0, 3),
    square=st.booleans(),
)
def test_any_box_gives_pixels_or_a_reason(
    box: tuple[float, float, float, float], margin: float, *, square: bool
) -> None:
    image = Image.new("RGB", (100, 50))
    try:
        crop = crop_image(image, box, CropRule(margin=margin, min_size=1, square=square))
    except ImageRejectedError:
        return
    assert 1 <= crop.width <= 100
    assert 1 <= crop.height <= 50


def test_blurring_lowers_sharpness_and_light_raises_brightness() -> None:
    sharp = noise(size=(200, 150))
    small = sharp.resize((20, 15), Image.Resampling.BILINEAR)
    blurred = small.resize(sharp.size, Image.Resampling.BICUBIC)
    assert measure_image(blurred)["sharpness"] < measure_image(sharp)["sharpness"] / 10
    for level in (0, 51, 255):
        flat = measure_image(Image.new("RGB", (30, 30), (level,) * 3))
        assert flat == {"sharpness": 0, "brightness": pytest.approx(level / 255), "contrast": 0}
    assert tuple(flat) == MEASURES


def test_contrast_is_the_standard_deviation_of_luma() -> None:
    half = np.zeros((192, 192, 3), dtype=np.uint8)
    half[:96] = 255
    measures = measure_image(Image.fromarray(half))
    assert measures["contrast"] == pytest.approx(0.5)
    assert measures["brightness"] == pytest.approx(0.5)
    # 2 of the 190 inner rows hold a step of 255.
    assert measures["sharpness"] == pytest.approx(2 / 190 * 255**2, rel=1e-4)


def test_sharpness_hardly_depends_on_the_stored_size() -> None:
    picture = noise(size=(48, 36)).resize((1600, 1200), Image.Resampling.BICUBIC)
    large = measure_image(picture)
    half = measure_image(picture.resize((800, 600), Image.Resampling.BOX))
    assert half["sharpness"] == pytest.approx(large["sharpness"], rel=0.1)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2)])
def test_the_thinnest_image_is_measured(size: tuple[int, int]) -> None:
    assert all(np.isfinite(value) for value in measure_image(Image.new("RGB", size)).values())


def test_a_thumbnail_is_a_small_jpeg_of_the_box() -> None:
    image = left_red_right_blue(400, 200)
    whole = Image.open(io.BytesIO(make_thumbnail(image, 100)))
    part = Image.open(io.BytesIO(make_thumbnail(image, 100, box=(0, 0, 150, 200))))
    assert (whole.format, whole.size, part.size) == ("JPEG", (100, 50), (75, 100))
    corner = part.getpixel((70, 50))
    assert isinstance(corner, tuple)
    assert corner[0] > 200
    assert image.size == (400, 200)
