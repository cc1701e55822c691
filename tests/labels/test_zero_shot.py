"""Zero-shot labels: planted vectors, ensembles by hand, independence, ties."""

import math

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.arrays import Vectors
from pipeline.exceptions import EncoderError, EncoderMismatchError
from pipeline.labels.attribute_file import Attribute
from pipeline.labels.zero_shot import (
    Ensemble,
    Prototypes,
    label_samples,
    list_prompts,
    make_prototypes,
)
from pipeline.tables import LABELS

ENSEMBLES: tuple[Ensemble, ...] = ("mean", "probability", "max", "naive")
SCALE = 10.0
HAT = Attribute(
    name="hat",
    kind="prompts",
    min_margin=0.0,
    templates=("photo of {}", "{}"),
    values={"yes": ("hat", "cap"), "no": ("hair", "head", "bare")},
)
Floats = npt.NDArray[np.float32]


def embed(texts: list[str], *, dim: int = 16) -> Floats:
    """Give each text a vector that depends on the text alone, of any length."""
    rows = [np.random.default_rng(list(text.encode())).normal(size=dim) for text in texts]
    return np.asarray(rows, dtype=np.float32)


def prompts_of(attribute: Attribute, encoder_id: str = "e") -> Vectors:
    texts = list_prompts(attribute)
    return Vectors(pl.Series(texts), embed(texts), encoder_id)


def prototypes_of(attribute: Attribute, ensemble: Ensemble | None = None) -> Prototypes:
    return make_prototypes(attribute, prompts_of(attribute), logit_scale=SCALE, ensemble=ensemble)


def label(values: Floats, prototypes: Prototypes, encoder_id: str = "e") -> pl.DataFrame:
    ids = pl.Series([f"s{i}" for i in range(len(values))], dtype=pl.String)
    vectors = Vectors(ids, values, encoder_id)
    return label_samples(vectors, prototypes, sample_ids=ids, label_id="id")


def unit(vectors: npt.ArrayLike) -> npt.NDArray[np.float64]:
    exact = np.asarray(vectors, dtype=np.float64)
    return np.asarray(exact / np.linalg.norm(exact, axis=-1, keepdims=True))


def softmax(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    weights = np.exp(np.asarray(logits))
    return np.asarray(weights / weights.sum())


def test_prompts_are_listed_by_value_then_prompt_then_template() -> None:
    assert list_prompts(HAT)[:4] == ["photo of hat", "hat", "photo of cap", "cap"]
    assert len(list_prompts(HAT)) == 10


def test_braces_in_a_prompt_are_kept() -> None:
    odd = Attribute(
        name="a", kind="prompts", templates=("{}!",), values={"x": ("{0}",), "y": ("{",)}
    )
    assert list_prompts(odd) == ["{0}!", "{!"]


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_a_sample_like_one_prompt_gets_its_value(ensemble: Ensemble) -> None:
    labels = label(embed(["photo of hat", "photo of hair"]) * 7, prototypes_of(HAT, ensemble))
    assert labels["value"].to_list() == ["yes", "no"]
    assert dict(labels.schema) == dict(LABELS)
    assert set(labels["source"]) == {"zero-shot"}


def by_hand(image: npt.NDArray[np.float64], ensemble: Ensemble) -> npt.NDArray[np.float64]:
    """Compute the probability of each value from the definitions, one prompt at a time."""
    filled = {
        value: [t.replace("{}", prompt) for prompt in prompts for t in HAT.templates]
        for value, prompts in HAT.values.items()
    }
    vectors = {value: [unit(embed([text])[0]) for text in texts] for value, texts in filled.items()}
    if ensemble == "naive":
        return softmax([SCALE * (v[0] @ image) for v in vectors.values()])
    if ensemble == "mean":
        return softmax([SCALE * (unit(np.mean(v, axis=0)) @ image) for v in vectors.values()])
    if ensemble == "max":
        return softmax([max(SCALE * (p @ image) for p in v) for v in vectors.values()])
    each = softmax([SCALE * (p @ image) for v in vectors.values() for p in v])
    means = np.array([each[:4].mean(), each[4:].mean()])
    return np.asarray(means / means.sum())


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_score_and_margin_follow_the_definition(ensemble: Ensemble) -> None:
    images = embed([f"image {i}" for i in range(20)])
    labels = label(images, prototypes_of(HAT, ensemble))
    for image, row in zip(images, labels.iter_rows(named=True), strict=True):
        expected = by_hand(unit(image), ensemble)
        assert row["value"] == ("yes", "no")[int(expected.argmax())]
        assert math.isclose(row["score"], expected.max(), abs_tol=1e-8)
        assert math.isclose(row["margin"], expected.max() - expected.min(), abs_tol=1e-8)


@settings(max_examples=30)
@given(st.permutations(range(12)), st.integers(1, 12), st.sampled_from(ENSEMBLES))
def test_a_label_depends_on_its_own_sample_alone(
    order: list[int], size: int, ensemble: Ensemble
) -> None:
    images = embed([f"image {i}" for i in range(12)])
    prototypes = prototypes_of(HAT, ensemble)
    alone = pl.concat([label(images[i : i + 1], prototypes) for i in order[:size]])
    together = label(images[order[:size]], prototypes)
    assert alone.drop("sample_id").equals(together.drop("sample_id"))


@settings(max_examples=20)
@given(st.floats(0.01, 100), st.sampled_from(ENSEMBLES))
def test_the_length_of_vectors_does_not_matter(factor: float, ensemble: Ensemble) -> None:
    images = embed([f"image {i}" for i in range(5)])
    prompts = prompts_of(HAT)
    stretched = Vectors(prompts.keys, prompts.values * np.float32(factor), "e")
    first = label(images, prototypes_of(HAT, ensemble))
    second = label(
        images * np.float32(factor),
        make_prototypes(HAT, stretched, logit_scale=SCALE, ensemble=ensemble),
    )
    assert first["value"].equals(second["value"])
    assert np.allclose(first["score"], second["score"], atol=1e-5)


def test_other_attributes_prompts_do_not_matter() -> None:
    texts = [*list_prompts(HAT), "a dog", "photo of a cat"][::-1]
    more = Vectors(pl.Series(texts), embed(texts), "e")
    images = embed(["one", "two", "three"])
    other = make_prototypes(HAT, more, logit_scale=SCALE)
    assert label(images, prototypes_of(HAT)).equals(label(images, other))


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_equal_values_go_to_the_earlier_one(ensemble: Ensemble) -> None:
    same = embed(["same"])
    texts = list_prompts(HAT)
    vectors = Vectors(pl.Series(texts), np.repeat(same, len(texts), axis=0), "e")
    prototypes = make_prototypes(HAT, vectors, logit_scale=SCALE, ensemble=ensemble)
    labels = label(embed([f"image {i}" for i in range(50)]), prototypes)
    assert set(labels["value"]) == {"yes"}
    assert set(labels["margin"]) == {0.0}


def test_a_value_with_more_prompts_weighs_no_more() -> None:
    values = {"yes": ("hat",), "no": ("hair",)}
    few = HAT.model_copy(update={"values": values, "templates": ("{}",)})
    many = few.model_copy(update={"values": {**values, "no": ("hair", "hair", "hair")}})
    images = embed([f"image {i}" for i in range(10)])
    for ensemble in ENSEMBLES:
        first = label(images, prototypes_of(few, ensemble))
        second = label(images, prototypes_of(many, ensemble))
        assert np.allclose(first["score"], second["score"], atol=1e-8)


def test_a_margin_under_the_minimum_is_unknown() -> None:
    images = embed([f"image {i}" for i in range(40)])
    sure = label(images, prototypes_of(HAT))
    cut = sure["margin"].median()
    assert isinstance(cut, float)
    labels = label(images, prototypes_of(HAT.model_copy(update={"min_margin": cut})))
    assert (labels["value"] == "unknown").to_list() == (sure["margin"] < cut).to_list()
    assert labels["margin"].equals(sure["margin"])
    assert 0 < (labels["value"] == "unknown").sum() < 40


def test_a_margin_just_at_the_minimum_counts() -> None:
    images = embed(["one"])
    margin = label(images, prototypes_of(HAT))["margin"][0]
    at = prototypes_of(HAT.model_copy(update={"min_margin": margin}))
    assert label(images, at)["value"][0] != "unknown"


def test_vectors_of_another_encoder_are_refused() -> None:
    with pytest.raises(EncoderMismatchError, match="images were embedded by other, prompts by e"):
        label(embed(["one"]), prototypes_of(HAT), encoder_id="other")


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(EncoderMismatchError, match=r"shape \(1, 8\)"):
        label(embed(["one"], dim=8), prototypes_of(HAT))


def test_a_missing_prompt_is_named() -> None:
    texts = list_prompts(HAT)[1:]
    with pytest.raises(EncoderError, match="prompt 'photo of hat' has no vector"):
        make_prototypes(HAT, Vectors(pl.Series(texts), embed(texts), "e"), logit_scale=SCALE)


@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_a_vector_that_is_no_direction_is_refused(bad: float) -> None:
    images = embed(["one", "two"])
    images[1] = bad
    with pytest.raises(EncoderError, match="1 of 2 vectors are zero or not finite"):
        label(images, prototypes_of(HAT))


def test_no_samples_give_an_empty_table() -> None:
    labels = label(np.zeros((0, 16), dtype=np.float32), prototypes_of(HAT))
    assert labels.shape == (0, len(LABELS))


def test_half_precision_vectors_keep_their_labels() -> None:
    images = embed([f"image {i}" for i in range(30)])
    half = images.astype(np.float16).astype(np.float32)
    first, second = label(images, prototypes_of(HAT)), label(half, prototypes_of(HAT))
    assert np.allclose(first["score"], second["score"], atol=1e-2)


def test_each_value_can_have_a_margin_of_its_own() -> None:
    images = embed([f"image {i}" for i in range(60)])
    prompts = prompts_of(HAT)
    own = make_prototypes(HAT, prompts, logit_scale=SCALE, min_margins=(math.inf, 0.0))
    plain, labels = label(images, prototypes_of(HAT)), label(images, own)
    assert set(plain["value"]) == {"yes", "no"}
    assert set(labels["value"]) == {"unknown", "no"}
    assert labels.filter(plain["value"] == "no").equals(plain.filter(value="no"))


def test_a_margin_that_is_to_be_chosen_is_none_until_it_is() -> None:
    auto = HAT.model_copy(update={"min_margin": "auto"})
    assert prototypes_of(auto).min_margins == (0.0, 0.0)
