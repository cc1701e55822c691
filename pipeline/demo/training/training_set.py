"""Pictures and facts to train and judge the encoder with, cut as an audit cuts them."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.config.dataset import CropRule
from pipeline.demo.scene_truth import Plan, describe
from pipeline.demo.training.captions import COUNTS, FACTS, encode_facts
from pipeline.demo.world import CHUNK, draw_picture
from pipeline.images.crop import crop_image

SIDE = 96  # pixels of the encoder's square input
MIN_CROP = 40  # pixels of the height of a box whose labels are judged


@dataclass(frozen=True)
class Pictures:
    """Pixels (n, SIDE, SIDE, 3), facts (n, len(FACTS)) and heights (n,) of the boxes in pixels."""

    pixels: npt.NDArray[np.uint8]
    facts: npt.NDArray[np.bool_]
    heights: npt.NDArray[np.float32]


def make_pictures(*, images: int, seed: int, workers: int = 1) -> tuple[Pictures, Pictures]:
    """Draw a world in memory; return the crops of its people and its whole images."""
    starts = [range(start, min(start + CHUNK, images)) for start in range(0, images, CHUNK)]
    draw = partial(_draw_chunk, seed=seed)
    if workers <= 1:
        parts = [draw(indices) for indices in starts]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(draw, starts))
    crops, wholes = zip(*parts, strict=True)
    return _join(crops), _join(wholes)


def squash(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Bring an image to the encoder's square, as its preprocessing ("squash", bilinear) does."""
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.uint8)


def _join(parts: tuple[Pictures, ...]) -> Pictures:
    return Pictures(
        pixels=np.concatenate([part.pixels for part in parts]),
        facts=np.concatenate([part.facts for part in parts]),
        heights=np.concatenate([part.heights for part in parts]),
    )


def _draw_chunk(indices: range, *, seed: int) -> tuple[Pictures, Pictures]:
    rule, plan = CropRule(), Plan()
    crops, crop_facts, heights, wholes, whole_facts = [], [], [], [], []
    for index in indices:
        picture = draw_picture(seed, index, plan)
        scene = picture.scene
        wholes.append(squash(picture.image))
        people = COUNTS[len(scene.people) - 1]
        whole_facts.append(encode_facts({**describe(scene.conditions), "people": people}))
        for person, box in zip(scene.people, picture.boxes, strict=True):
            crops.append(squash(crop_image(picture.image, box, rule)))
            crop_facts.append(encode_facts(describe(scene.conditions, person)))
            heights.append(box[3])
    return _pack(crops, crop_facts, heights), _pack(wholes, whole_facts, [0.0] * len(wholes))


def _pack(
    pixels: list[npt.NDArray[np.uint8]], facts: list[npt.NDArray[np.bool_]], heights: list[float]
) -> Pictures:
    return Pictures(
        pixels=np.array(pixels, dtype=np.uint8).reshape(-1, SIDE, SIDE, 3),
        facts=np.array(facts, dtype=np.bool_).reshape(-1, len(FACTS)),
        heights=np.array(heights, dtype=np.float32),
    )


def sift_crops(pictures: Pictures) -> Pictures:
    """Return the pictures whose boxes are at least MIN_CROP pixels tall."""
    large = pictures.heights >= MIN_CROP
    return Pictures(pictures.pixels[large], pictures.facts[large], pictures.heights[large])
