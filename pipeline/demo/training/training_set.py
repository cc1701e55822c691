"""Pictures and true values to train and test the encoder with, cut as an audit cuts them."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.config.dataset import CropRule
from pipeline.demo.chunks import map_chunks
from pipeline.demo.drawing.picture import draw_picture
from pipeline.demo.scene_truth import Plan, describe
from pipeline.demo.training.captions import ATTRIBUTE_VALUES, COUNTS, encode_truth
from pipeline.images.crop import crop_image

SIDE = 96  # pixels of the encoder's square input
MIN_CROP = 40  # pixels of the height of a box whose labels are tested


@dataclass(frozen=True)
class Pictures:
    """Crops or whole images, their true values, and the heights of the boxes in pixels."""

    pixels: npt.NDArray[np.uint8]  # (n, SIDE, SIDE, 3)
    truth: npt.NDArray[np.bool_]  # (n, len(ATTRIBUTE_VALUES))
    heights: npt.NDArray[np.float32]  # (n,) 0 for whole images


def make_pictures(*, images: int, seed: int, workers: int = 1) -> tuple[Pictures, Pictures]:
    """Draw a world in memory; return the crops of its people and its whole images."""
    draw = partial(_draw_chunk, seed=seed)
    crops, wholes = zip(*map_chunks(draw, images=images, workers=workers), strict=True)
    return _join(crops), _join(wholes)


def squash(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Bring an image to the encoder's square, as its preprocessing ("squash", bilinear) does."""
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.uint8)


def _join(parts: tuple[Pictures, ...]) -> Pictures:
    return Pictures(
        pixels=np.concatenate([part.pixels for part in parts]),
        truth=np.concatenate([part.truth for part in parts]),
        heights=np.concatenate([part.heights for part in parts]),
    )


def _draw_chunk(indices: range, *, seed: int) -> tuple[Pictures, Pictures]:
    rule, plan = CropRule(), Plan()
    crops, crop_truth, heights, wholes, whole_truth = [], [], [], [], []
    for index in indices:
        picture = draw_picture(seed, index, plan)
        scene = picture.scene
        wholes.append(squash(picture.image))
        people = COUNTS[len(scene.people) - 1]
        whole_truth.append(encode_truth({**describe(scene.conditions), "people": people}))
        for person, box in zip(scene.people, picture.boxes, strict=True):
            crops.append(squash(crop_image(picture.image, box, rule)))
            crop_truth.append(encode_truth(describe(scene.conditions, person)))
            heights.append(box[3])
    return _pack(crops, crop_truth, heights), _pack(wholes, whole_truth, [0.0] * len(wholes))


def _pack(
    pixels: list[npt.NDArray[np.uint8]], truth: list[npt.NDArray[np.bool_]], heights: list[float]
) -> Pictures:
    return Pictures(
        pixels=np.array(pixels, dtype=np.uint8).reshape(-1, SIDE, SIDE, 3),
        truth=np.array(truth, dtype=np.bool_).reshape(-1, len(ATTRIBUTE_VALUES)),
        heights=np.array(heights, dtype=np.float32),
    )


def sift_crops(pictures: Pictures) -> Pictures:
    """Return the pictures whose boxes are at least MIN_CROP pixels tall."""
    large = pictures.heights >= MIN_CROP
    return Pictures(pictures.pixels[large], pictures.truth[large], pictures.heights[large])
