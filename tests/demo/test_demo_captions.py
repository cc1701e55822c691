from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.demo.scene_truth import CONDITION_SHARES, PERSON_SHARES, Plan, describe, draw_scene
from pipeline.demo.training.captions import (
    ATTRIBUTE_VALUES,
    COUNTS,
    caption_person,
    caption_scene,
    encode_truth,
)
from pipeline.demo.training.label_accuracy import measure_label_accuracy, read_prompts
from pipeline.labels.attribute_file import read_attribute

FOLDER = Path(str(resources.files("pipeline.demo").joinpath("attributes")))


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1))
def test_a_caption_is_true_of_what_it_was_written_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng, Plan())
    person = describe(scene.conditions, scene.people[0])
    whole = {**describe(scene.conditions), "people": COUNTS[len(scene.people) - 1]}
    for caption, values in (
        (caption_person(rng, person), person),
        (caption_scene(rng, whole), whole),
    ):
        assert not (caption.against & encode_truth(values)).any()
        assert caption.against.any()
        assert "+" not in caption.text
        assert "{}" not in caption.text


def test_a_caption_contradicts_the_values_it_does_not_name() -> None:
    rng = np.random.default_rng(0)
    values = describe(draw_scene(rng, Plan()).conditions) | {
        name: next(iter(shares)) for name, shares in PERSON_SHARES.items()
    }
    helmets = [
        caption.against[ATTRIBUTE_VALUES.index(("headwear", "helmet"))]
        for caption in (caption_person(rng, {**values, "headwear": "hat"}) for _ in range(200))
        if "hat" in caption.text.split()
    ]
    assert helmets
    assert all(helmets)


@pytest.mark.slow
def test_the_prompts_of_the_attributes_were_never_trained_on() -> None:
    rng = np.random.default_rng(1)
    written = set()
    for _ in range(6000):
        scene = draw_scene(rng, Plan())
        written.add(caption_person(rng, describe(scene.conditions, scene.people[0])).text)
        people = COUNTS[len(scene.people) - 1]
        written.add(caption_scene(rng, {**describe(scene.conditions), "people": people}).text)
    prompts = [text for entry in read_prompts() for group in entry.texts for text in group[1:]]
    assert not written & set(prompts)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_attribute_files_are_sound_and_name_the_true_values(path: Path) -> None:
    attribute = read_attribute(path)
    assert attribute.name == path.stem
    if attribute.kind == "prompts":
        assert set(attribute.values) == set({**CONDITION_SHARES, **PERSON_SHARES}[path.stem])
        assert all(len(prompts) >= 4 for prompts in attribute.values.values())


def test_every_fact_has_an_attribute_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == {
        *CONDITION_SHARES,
        *PERSON_SHARES,
    }


def test_labels_that_are_all_right_are_judged_so_and_wrong_ones_are_counted() -> None:
    prompts = next(entry for entry in read_prompts() if entry.name == "glasses")
    axes = {text: axis for axis, group in enumerate(prompts.texts) for text in group}
    truth = np.zeros((4, len(ATTRIBUTE_VALUES)), dtype=np.bool_)
    for row, value in enumerate(("no", "yes", "yes", "yes")):
        truth[row, ATTRIBUTE_VALUES.index(("glasses", value))] = True
    vectors = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]

    def encode(texts: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.eye(2, dtype=np.float32)[[axes[text] for text in texts]]

    quality = measure_label_accuracy(vectors, truth, prompts, encode=encode)
    assert quality.accuracy == 0.75
    assert quality.precision == (0.5, 1.0)
    assert quality.recall == pytest.approx((1.0, 2 / 3))
    assert quality.n == (1, 3)
