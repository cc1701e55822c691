"""Learning curves of probes: what fewer examples bring, and what more would."""

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Vectors
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.probes.examples import Examples
from pipeline.labels.probes.held_out import MOST_TRAINED, train_judged
from pipeline.labels.probes.learning_curve import (
    describe_gain,
    measure_learning_curve,
)
from pipeline.labels.probes.linear_probe import fit_probe
from pipeline.labels.zero_shot import make_prototypes
from pipeline.tables import LEARNING_CURVE
from tests.labels.probe_data import NAMES, draw_examples, draw_values, draw_vectors


def measure(examples: Examples) -> pl.DataFrame:
    probe = fit_probe(examples, attribute="color", values=NAMES, encoder_id="enc")
    assert probe is not None
    return measure_learning_curve(examples, probe, values=NAMES)


def test_a_curve_rises_and_ends_where_examples_do() -> None:
    curve = measure(draw_examples(150, apart=1.8))
    assert dict(curve.schema) == dict(LEARNING_CURVE)
    assert curve["size"].to_list() == [5, 10, 20, 50]
    assert curve["examples"].to_list() == pytest.approx([10, 20, 40, 100])
    right = curve["right"].to_list()
    assert right[-1] > right[0] + 0.03
    for row in curve.iter_rows(named=True):
        assert 0.5 < row["low"] < row["right"] < row["high"] < 1
    gains = curve["gain"].to_list()
    assert gains[0] is None
    assert np.allclose(gains[1:], np.diff(right))


def test_few_examples_have_a_short_curve() -> None:
    assert measure(draw_examples(16))["size"].to_list() == [5]


def test_the_same_seed_gives_the_same_curve() -> None:
    examples = draw_examples(24)
    assert measure(examples).equals(measure(examples))


def make_curve(gain: float, low: float, high: float) -> pl.DataFrame:
    rows = [
        {"size": 10, "right": 0.9},
        {"size": 20, "right": 0.9 + gain, "gain": gain, "gain_low": low, "gain_high": high},
    ]
    return pl.DataFrame(
        [{**dict.fromkeys(LEARNING_CURVE), **row, "attribute": "color"} for row in rows],
        schema=dict(LEARNING_CURVE),
    )


@pytest.mark.parametrize(
    ("gain", "low", "high", "words"),
    [
        (0.002, -0.01, 0.014, "twice as many would help little"),
        (0.04, 0.01, 0.07, "twice as many may add 4 points or less"),
        (0.03, -0.02, 0.08, "whether twice as many help is not clear"),
    ],
)
def test_what_more_checks_bring_is_said(gain: float, low: float, high: float, words: str) -> None:
    said = describe_gain(make_curve(gain, low, high))
    assert said.startswith(f"20 checks a value make {90 + 100 * gain:.0f} % of the labels right; ")
    assert words in said


def test_one_size_says_that_more_is_not_known() -> None:
    assert "is not known yet" in describe_gain(make_curve(0, 0, 0).head(1))
    assert describe_gain(make_curve(0, 0, 0).clear()) == ""


def test_neighbours_of_examples_are_not_labelled_by_a_probe_that_saw_them() -> None:
    count = MOST_TRAINED + 200
    values = draw_values(count)
    ids = pl.Series("sample_id", [f"s{row:04}" for row in range(count)])
    known = pl.DataFrame(
        {"sample_id": ids, "value": values, "inclusion": 1.0,
         "cluster_id": [f"pair {row // 2}" for row in range(count)]}
    )  # fmt: skip
    vectors = Vectors(ids, draw_vectors(values).astype(np.float32), "enc")
    values_by_prompts: dict[str, tuple[str, ...]] = {"blue": ("a", "b"), "green": ("c", "d")}
    attribute = Attribute(name="color", kind="prompts", values=values_by_prompts)
    prompts = pl.Series([f"a photo of {word}." for word in "abcd"])
    texts = Vectors(prompts, np.eye(24)[:4].astype(np.float32), "enc")
    prototypes = make_prototypes(attribute, texts, logit_scale=10.0)
    judged = train_judged(known, vectors, attribute=attribute, prototypes=prototypes)
    assert judged is not None
    labels = judged.label()
    trained = set(judged.examples.sample_ids)
    clusters = set(judged.examples.cluster_ids)
    strangers = set(known.filter(~pl.col("cluster_id").is_in(list(clusters)))["sample_id"])
    assert len(trained) == MOST_TRAINED
    assert strangers
    assert set(labels["sample_id"]) == trained | strangers
    assert judged.trace()["size"].to_list() == [5, 10, 20, 50, 100]
