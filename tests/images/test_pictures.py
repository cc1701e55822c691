import io

import numpy as np
import pytest
from PIL import Image

from pipeline.images.decode import ImageRejectedError
from pipeline.images.pictures import blur_boxes, cut_box, find_head, write_webp


def make_checkers(side: int = 128) -> Image.Image:
    """Return black and white squares of two pixels: all detail, mid gray from afar."""
    rows, columns = np.indices((side, side)) // 2
    return Image.fromarray((255 * ((rows + columns) % 2)).astype(np.uint8)).convert("RGB")


def test_a_blurred_box_has_no_detail_and_the_rest_has_all() -> None:
    image = make_checkers()
    blurred = np.asarray(blur_boxes(image, [(32, 32, 40, 40)]).convert("L")).astype(float)
    assert blurred[36:68, 36:68].std() < 12
    outside = np.ones((128, 128), bool)
    outside[26:78, 26:78] = False  # a tenth wider all around
    assert (blurred[outside] == np.asarray(image.convert("L"))[outside]).all()


@pytest.mark.parametrize("box", [(-20, -20, 60, 60), (100, 100, 80, 80), (300, 300, 9, 9)])
def test_boxes_over_the_edge_are_blurred_as_far_as_there_are_pixels(box: tuple[int, ...]) -> None:
    image = make_checkers()
    blurred = blur_boxes(image, [tuple(map(float, box))])  # type: ignore[list-item]  # four numbers
    assert blurred.size == image.size
    assert (blurred.tobytes() == image.tobytes()) == (box[0] == 300)


def test_the_head_is_the_upper_third_of_a_person() -> None:
    assert find_head((10, 20, 30, 90)) == (10, 20, 30, 30)


def test_a_cut_has_a_margin_within_the_image() -> None:
    image = make_checkers()
    assert cut_box(image, (40, 40, 20, 10), margin=0.5).size == (40, 30)
    assert cut_box(image, (0, 0, 20, 10), margin=0.5).size == (30, 20)
    for box in ((200.0, 0.0, 5.0, 5.0), (0.0, 0.0, float("nan"), 5.0)):
        with pytest.raises(ImageRejectedError):
            cut_box(image, box, margin=0.1)


def test_a_picture_is_webp_of_bounded_size_without_metadata() -> None:
    image = make_checkers(300)
    image.info["exif"] = b"Exif\x00\x00 where it was taken"
    data = write_webp(image, 192)
    assert data[8:12] == b"WEBP"
    assert b"taken" not in data
    assert Image.open(io.BytesIO(data)).size == (192, 192)
