"""Permutations keep the errors of an image together and those of a stratum in it."""

import numpy as np

from pipeline.regions.image_permutations import (
    draw_permutations,
    measure_design_effect,
    sort_images,
)
from pipeline.regions.residual_errors import Residuals, take_out


def permute(residuals: Residuals, images: np.ndarray, count: int = 40) -> np.ndarray:
    classes = sort_images(residuals, images)
    rng = np.random.default_rng(3)
    return draw_permutations(residuals.values, classes, count=count, rng=rng)


def test_an_image_takes_the_errors_of_one_other_image() -> None:
    images = np.repeat(np.arange(50), 2)
    residuals = Residuals(images.astype(float), np.zeros(100), np.zeros(100, np.int64))
    drawn = permute(residuals, images)
    assert (drawn[::2] == drawn[1::2]).all()
    assert (np.sort(drawn, axis=0) == np.sort(residuals.values)[:, None]).all()
    assert len({tuple(column) for column in drawn.T}) == 40


def test_errors_stay_in_their_stratum() -> None:
    group = np.arange(120) % 3 == 0
    residuals = take_out(np.where(group, 5.0, 0.0) + np.arange(120) / 120, [group])
    drawn = permute(residuals, np.arange(120))
    for rows in (group, ~group):
        own = np.sort(residuals.values[rows]).astype(np.float32)
        assert (np.sort(drawn[rows], axis=0) == own[:, None]).all()


def test_rare_images_change_signs_as_a_whole() -> None:
    images = np.repeat(np.arange(4), 5)
    values = np.linspace(-1, 1, 20)
    drawn = permute(Residuals(values, np.zeros(20), np.zeros(20, np.int64)), images)
    signs = drawn / values[:, None].astype(np.float32)
    assert np.allclose(np.abs(signs), 1)
    assert (signs.reshape(4, 5, -1) == signs.reshape(4, 5, -1)[:, :1]).all()
    assert 0.3 < (signs > 0).mean() < 0.7


def test_crops_that_fail_together_count_for_less() -> None:
    images = np.repeat(np.arange(200), 4)
    together = np.repeat(np.random.default_rng(0).normal(size=200), 4)
    assert abs(measure_design_effect(together, images) - 4) < 1e-9
    assert measure_design_effect(together, np.arange(800)) == 1.0
    assert measure_design_effect(np.zeros(3), np.arange(3)) == 1.0
