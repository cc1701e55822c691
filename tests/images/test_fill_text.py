import numpy as np
from PIL import Image, ImageDraw

from pipeline.images.fill_text import fill_boxes


def test_a_box_is_filled_with_the_color_around_it_and_nothing_else_changes() -> None:
    picture = Image.new("RGB", (200, 100), (10, 90, 160))
    box = (60.0, 40.0, 80.0, 20.0)
    marked = picture.copy()
    marked.paste((255, 255, 255), (60, 40, 140, 60))
    assert np.array_equal(np.asarray(fill_boxes(marked, [box])), np.asarray(picture))
    assert fill_boxes(marked, []) is marked


def test_boxes_beyond_the_border_and_of_the_whole_picture_are_taken() -> None:
    picture = Image.new("RGB", (60, 40), (9, 9, 9))
    ImageDraw.Draw(picture).text((20, 15), "exit", fill="white")
    whole = fill_boxes(picture, [(-5.0, -5.0, 80.0, 60.0)])
    assert len(np.unique(np.asarray(whole).reshape(-1, 3), axis=0)) == 1
    assert fill_boxes(picture, [(500.0, 500.0, 5.0, 5.0)]).tobytes() == picture.tobytes()
