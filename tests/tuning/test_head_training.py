"""The trained map follows its loss, learns what is planted, and keeps the background if asked."""

import numpy as np
import pytest

from pipeline.arrays import Array, Ints
from pipeline.tuning.head_training import Target, TuneSettings, train_head, turn

WIDTH, SCALE = 12, 20.0


def unit(values: Array) -> Array:
    made: Array = values / np.linalg.norm(values, axis=1, keepdims=True)
    return made


def plant(seed: int = 0, n: int = 600) -> tuple[Array, Target, Array, Ints]:
    """Images whose captions look along the wrong axis: 2 where the images differ along 0.

    Words of the background are axes 4 to 7; the images differ along these too.
    """
    rng = np.random.default_rng(seed)
    classes = rng.integers(2, size=n)
    values = 0.3 * rng.normal(size=(n, WIDTH))
    values[:, 0] += np.where(classes == 1, 1.0, -1.0)
    others = rng.integers(4, size=n)
    values[np.arange(n), 4 + others] += 1.0
    captions = np.zeros((4, WIDTH))
    captions[:2, 2], captions[2:, 2] = -1.0, 1.0
    captions += 0.05 * rng.normal(size=captions.shape)
    target = Target(unit(captions), np.array([0, 0, 1, 1]), classes)
    words = np.eye(WIDTH)[4:8]
    return unit(values), target, words, others


def accuracy(vectors: Array, captions: Array, truth: Ints, owners: Ints) -> float:
    return float((owners[(vectors @ captions.T).argmax(axis=1)] == truth).mean())


def test_what_is_planted_is_learned_and_the_background_is_kept() -> None:
    vectors, target, words, _ = plant()
    fresh, held_out, _, later = plant(seed=1)
    assert accuracy(fresh, target.captions, held_out.classes, target.owners) < 0.65
    settings = TuneSettings(steps=500)
    kept = train_head(vectors, [target], words, logit_scale=SCALE, settings=settings)
    plain = train_head(vectors, [target], words[:0], logit_scale=SCALE, settings=settings)
    numbers = np.arange(4)
    before = accuracy(fresh, words, later, numbers)
    for residual in (kept, plain):
        tuned = turn(fresh, residual)
        assert accuracy(tuned, target.captions, held_out.classes, target.owners) > 0.95
    assert accuracy(turn(fresh, kept), words, later, numbers) > before - 0.03
    said = {name: share_words(turn(fresh, one), words) for name, one in
            (("kept", kept), ("plain", plain))}  # fmt: skip
    untuned = share_words(fresh, words)
    moved = {name: np.abs(one - untuned).mean() for name, one in said.items()}
    assert moved["kept"] < 0.7 * moved["plain"]


def share_words(vectors: Array, words: Array) -> Array:
    weights = np.exp(SCALE * vectors @ words.T)
    shares: Array = weights / weights.sum(axis=1, keepdims=True)
    return shares


def test_the_same_seed_gives_the_same_map_and_another_seed_another() -> None:
    vectors, target, words, _ = plant(n=80)
    made = [
        train_head(vectors, [target], words, logit_scale=SCALE,
                   settings=TuneSettings(steps=5, seed=seed))
        for seed in (0, 0, 1)
    ]  # fmt: skip
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_a_step_of_nothing_is_the_untuned_encoder() -> None:
    vectors, *_ = plant(n=20)
    residual = np.random.default_rng(0).normal(size=(WIDTH, WIDTH))
    assert turn(vectors, residual, step=0.0) == pytest.approx(vectors, abs=1e-6)
    exact = unit(vectors @ (np.eye(WIDTH) + residual))
    assert turn(vectors, residual) == pytest.approx(exact, abs=1e-5)


def test_images_without_a_known_value_teach_nothing() -> None:
    vectors, target, words, _ = plant(n=100)
    unknown = np.where(np.arange(100) % 2 == 0, target.classes, -1)
    known = unknown >= 0
    settings = TuneSettings(steps=3)
    some = Target(target.captions, target.owners, unknown)
    alone = Target(target.captions, target.owners, target.classes[known])
    one = train_head(vectors, [some], words[:0], logit_scale=SCALE, settings=settings)
    other = train_head(vectors[known], [alone], words[:0], logit_scale=SCALE, settings=settings)
    assert one == pytest.approx(other)
