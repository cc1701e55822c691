"""Equally good prompts are ties, a planted difference is found, a choice is judged elsewhere."""

import numpy as np
import pytest
from scipy import stats

from pipeline.arrays import Mask
from pipeline.zero_shot.prompt_comparison import choose_on_half, compare_prompts, find_mcnemar_p
from pipeline.zero_shot.random_words import randomize_templates

WORLDS = 200


def draw_prompts(rng: np.random.Generator, rates: list[float], *, n: int) -> Mask:
    """Draw which images each prompt is right about: most are easy or hard for all of them."""
    ease = rng.normal(0, 2.0, n)
    score = ease + rng.normal(0, 1.0, (len(rates), n))
    limits = stats.norm.ppf(rates) * 5.0**0.5
    right: Mask = score < limits[:, None]
    return right


def test_eleven_equally_good_prompts_show_no_difference() -> None:
    rng = np.random.default_rng(11)
    silent = sum(
        not compare_prompts(draw_prompts(rng, [0.7] * 11, n=1000)).shown for _ in range(WORLDS)
    )
    assert silent >= 0.95 * WORLDS


def test_two_points_in_ten_thousand_images_are_found() -> None:
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(20):
        pairs = compare_prompts(draw_prompts(rng, [0.7] * 10 + [0.72], n=10_000))
        found += any(one == 10 for one, _ in pairs.shown)
    assert found >= 16


def test_p_is_mcnemars_exact_test() -> None:
    expected = stats.binomtest(3, 15, 0.5).pvalue
    p = find_mcnemar_p(np.array([12, 3, 0]), np.array([3, 12, 0]))
    assert p == pytest.approx([expected, expected, 1.0])


def test_pairs_count_what_one_alone_is_right_about() -> None:
    right = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 1, 0]], bool)
    pairs = compare_prompts(right)
    assert pairs.only.tolist() == [[0, 2], [1, 0]]
    assert pairs.best == 0
    assert pairs.list_equals() == [0, 1]
    difference, (low, high) = pairs.subtract(0, 1)
    assert difference == pytest.approx(0.2)
    # Agresti and Min: cells 2.5 and 1.5 of 7.
    half = stats.norm.ppf(0.975) * (4 - 1 / 7) ** 0.5 / 7
    assert (low, high) == pytest.approx((1 / 7 - half, 1 / 7 + half))


def test_the_best_of_many_equals_is_not_better_on_the_other_half() -> None:
    rng = np.random.default_rng(5)
    gains = []
    for seed in range(100):
        right = draw_prompts(rng, [0.5] * 20, n=200)
        chosen = choose_on_half(right, np.arange(200), reference=right[0], seed=seed)
        gains.append((chosen.chosen_accuracy - 0.5, chosen.accuracy - 0.5))
    first, other = np.mean(gains, axis=0)
    assert first > 0.03
    assert abs(other) < 0.012


def test_objects_of_one_image_are_in_one_half() -> None:
    groups = np.repeat(np.arange(10), 7)
    right = np.stack([groups % 2 == 0, groups % 2 == 1])
    chosen = choose_on_half(right, groups, reference=right[0], seed=1)
    assert chosen.n == 35


def test_random_words_keep_their_number_and_the_place_of_the_name() -> None:
    templates = ["a photo of a {}.", "{}"]
    made = randomize_templates(templates, seed=4)
    assert made == randomize_templates(templates, seed=4) != randomize_templates(templates, seed=5)
    assert [line.split().index(word) for line, word in zip(made, ("{}.", "{}"), strict=True)] == [
        4, 0,
    ]  # fmt: skip
    assert len(made[0].split()) == 5
    assert not set(made[0].split()) & {"a", "photo", "of"}
