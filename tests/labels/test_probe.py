"""Probes: trained on few examples, judged by others, the same from the same examples."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Floats, Vectors
from pipeline.exceptions import EncoderMismatchError, StoreError
from pipeline.labels.probes.examples import Examples, assign_folds, make_examples, split_values
from pipeline.labels.probes.linear_probe import Probe, fit_probe
from pipeline.labels.probes.logit_scale import fit_scale
from pipeline.labels.probes.probe_margins import find_probe_thresholds
from pipeline.labels.probes.regression import make_features, train
from pipeline.labels.quality.thresholds import list_margins
from pipeline.tables import LABELS
from tests.labels.probe_data import NAMES, draw_examples, draw_values, draw_vectors


def fit(
    examples: Examples, values: tuple[str, ...] = NAMES, anchors: Floats | None = None
) -> Probe:
    probe = fit_probe(examples, attribute="color", values=values, encoder_id="enc", anchors=anchors)
    assert probe is not None
    return probe


def label(
    probe: Probe, vectors: Floats, *, min_margin: float | tuple[float, ...] = 0.0
) -> pl.DataFrame:
    ids = pl.Series([f"new {row}" for row in range(len(vectors))])
    return probe.label(
        Vectors(ids, vectors.astype(np.float32), "enc"),
        sample_ids=ids,
        min_margin=min_margin,
        label_id="id",
    )


def share_right(probe: Probe, values: list[str], vectors: Floats) -> float:
    return float((label(probe, vectors)["value"] == pl.Series(values)).to_numpy().mean())


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.4, 0.3, 0.3)])
def test_a_hundred_examples_label_new_samples(shares: tuple[float, ...]) -> None:
    probe = fit(draw_examples(120, shares=shares, apart=3.0))
    values = draw_values(1_000, shares=shares, seed=9)
    assert share_right(probe, values, draw_vectors(values, seed=9, apart=3.0)) > 0.9


def test_labels_are_a_table_whose_score_is_the_probability_of_the_value() -> None:
    probe = fit(draw_examples(200))
    values = draw_values(2_000, seed=3)
    vectors = draw_vectors(values, seed=3)
    labels = label(probe, vectors)
    assert dict(labels.schema) == dict(LABELS)
    assert set(labels["source"]) == {"probe"}
    right = (labels["value"] == pl.Series(values)).to_numpy()
    scores = labels["score"].to_numpy()
    sure = scores > np.median(scores)
    for part in (sure, ~sure):  # calibrated among the sure and among the others
        assert scores[part].mean() == pytest.approx(right[part].mean(), abs=0.06)


def test_a_small_margin_gives_unknown() -> None:
    probe = fit(draw_examples(200))
    values = draw_values(500, seed=3)
    loose = label(probe, draw_vectors(values, seed=3))
    strict = label(probe, draw_vectors(values, seed=3), min_margin=0.5)
    unsure = loose["margin"] < 0.5
    assert 20 < unsure.sum() < 480
    assert (strict["value"] == "unknown").equals(unsure)
    assert strict.filter(~unsure)["value"].equals(loose.filter(~unsure)["value"])


def test_each_value_can_have_a_margin_of_its_own() -> None:
    probe = fit(draw_examples(200))
    vectors = draw_vectors(draw_values(500, seed=3), seed=3)
    loose = label(probe, vectors)
    own = label(probe, vectors, min_margin=(np.inf, 0.0))
    assert not (own["value"] == probe.values[0]).any()
    assert (own["value"] == probe.values[1]).equals(loose["value"] == probe.values[1])


def test_margins_for_a_precision_hold_for_new_samples() -> None:
    wanted = 0.9
    for seed in range(2):
        examples = draw_examples(600, seed=seed)
        probe = fit(examples)
        thresholds = find_probe_thresholds(probe, examples, wanted=wanted)
        values = draw_values(2_000, seed=100 + seed)
        vectors = draw_vectors(values, seed=100 + seed)
        plain = label(probe, vectors)["value"] == pl.Series(values)
        labels = label(probe, vectors, min_margin=list_margins(thresholds))
        given = labels["value"] != "unknown"
        right = (labels["value"] == pl.Series(values)).filter(given)
        assert plain.to_numpy().mean() < wanted  # else nothing would be asked
        assert 0.05 < given.to_numpy().mean() < 0.95
        assert right.to_numpy().mean() >= wanted


def test_examples_drawn_unevenly_give_the_shares_of_the_audit() -> None:
    """Half of the examples are red, a twentieth of the audit is: inclusion says so."""
    values = ["red"] * 100 + ["blue"] * 100
    inclusion = np.array([1.0] * 100 + [100 / 1_900] * 100)
    known = pl.DataFrame({"sample_id": [f"s{row:03}" for row in range(200)], "value": values})
    examples = make_examples(
        known.with_columns(inclusion=inclusion), draw_vectors(values, apart=2.0)
    )
    probe = fit(examples)
    assert dict(zip(probe.values, probe.shares, strict=True))["red"] == pytest.approx(0.05)
    truth = ["red"] * 100 + ["blue"] * 1_900
    vectors = draw_vectors(truth, seed=5, apart=2.0)
    own = probe.weigh(vectors, pl.Series([f"new {row}" for row in range(2_000)]))
    assert own[:, probe.values.index("red")].mean() == pytest.approx(0.05, abs=0.02)


def test_training_samples_are_labelled_by_probes_that_did_not_see_them() -> None:
    """Values by chance are not learnt by heart: held-out labels are right by chance alone."""
    right = []
    for seed in range(1, 5):
        examples = draw_examples(200, apart=0.0, seed=seed)
        probe = fit(examples)
        held_out = probe.weigh(examples.vectors, examples.sample_ids)
        codes = examples.values.replace_strict(list(probe.values), [0, 1], return_dtype=pl.Int64)
        right.append(float((held_out.argmax(axis=1) == codes.to_numpy()).mean()))
        assert set(probe.held_out) == set(examples.sample_ids)
    assert 0.4 < np.mean(right) < 0.6


def test_samples_of_a_cluster_are_held_out_together() -> None:
    """Twins with values by chance: a probe that saw one would know the other."""
    rng = np.random.default_rng(4)
    values = [value for code in rng.integers(0, 2, 100) for value in [NAMES[code]] * 2]
    known = pl.DataFrame(
        {"sample_id": [f"s{row:03}" for row in range(200)], "value": values, "inclusion": 1.0}
    )
    vectors = draw_vectors(values, apart=0.0, repeat=2, width=200)
    twins = pl.Series([f"pair {row // 2}" for row in range(200)])

    def measure(clusters: pl.Series | None) -> float:
        examples = make_examples(known, vectors, cluster_ids=clusters)
        probe = fit(examples)
        truth = examples.values.replace_strict(list(probe.values), [0, 1], return_dtype=pl.Int64)
        found = probe.weigh(examples.vectors, examples.sample_ids).argmax(axis=1)
        return float((found == truth.to_numpy()).mean())

    assert measure(None) > 0.9
    assert measure(twins) < 0.65


def test_the_order_of_examples_changes_nothing() -> None:
    values = draw_values(80)
    known = pl.DataFrame(
        {"sample_id": [f"s{row:03}" for row in range(80)], "value": values, "inclusion": 0.5}
    )
    vectors = draw_vectors(values)
    order = np.random.default_rng(0).permutation(80)
    one, other = (fit(make_examples(known[rows], vectors[rows])) for rows in (np.arange(80), order))
    assert one.to_json() == other.to_json()


def test_a_probe_survives_being_kept() -> None:
    probe = fit(draw_examples(60))
    kept = Probe.from_json(probe.to_json(), source="probe.json")
    assert kept is not None
    assert kept.to_json() == probe.to_json()
    vectors = draw_vectors(draw_values(50))
    assert label(kept, vectors).equals(label(probe, vectors))


def test_a_probe_of_another_version_is_trained_again_and_a_broken_one_named() -> None:
    text = fit(draw_examples(60)).to_json()
    assert Probe.from_json(text.replace('"version": 1', '"version": 0'), source="x") is None
    with pytest.raises(StoreError, match=r"kept\.json: no probe"):
        Probe.from_json(text[:-9], source="kept.json")
    with pytest.raises(StoreError, match=r"kept\.json: no probe"):
        Probe.from_json("[]", source="kept.json")


def test_values_with_fewer_than_five_examples_are_left_out() -> None:
    values = ["blue"] * 40 + ["green"] * 40 + ["red"] * 4
    known = pl.DataFrame(
        {"sample_id": [f"s{row:03}" for row in range(84)], "value": values, "inclusion": 1.0}
    )
    examples = make_examples(known, draw_vectors(values))
    probe = fit(examples)
    assert probe.values == ("blue", "green")
    assert probe.left_out == {"red": 4}
    assert probe.examples == 80
    assert not set(probe.held_out) & {f"s{row:03}" for row in range(80, 84)}
    labels = label(probe, draw_vectors(["red"] * 20))
    assert set(labels["value"]) <= {"blue", "green"}


def test_five_crops_of_one_image_are_one_example() -> None:
    values = ["blue"] * 20 + ["green"] * 20
    images = pl.Series([f"image {row}" for row in range(20)] + ["one image"] * 20)
    known = pl.DataFrame(
        {"sample_id": [f"s{row:03}" for row in range(40)], "value": values, "inclusion": 1.0}
    )
    examples = make_examples(known, draw_vectors(values), cluster_ids=images)
    assert split_values(examples, NAMES) == (("blue",), {"green": 1})
    assert fit_probe(examples, attribute="color", values=NAMES, encoder_id="enc") is None


def test_no_examples_make_no_probe() -> None:
    known = pl.DataFrame(
        schema={"sample_id": pl.String, "value": pl.String, "inclusion": pl.Float64}
    )
    examples = make_examples(known, np.zeros((0, 0)))
    assert fit_probe(examples, attribute="color", values=NAMES, encoder_id="enc") is None


def test_other_examples_make_another_training_id() -> None:
    examples = draw_examples(60)
    ids = {fit(examples).training_id}
    ids.add(fit(dataclasses.replace(examples, inclusion=examples.inclusion / 2)).training_id)
    ids.add(fit(dataclasses.replace(examples, vectors=-examples.vectors)).training_id)
    flipped = examples.values.scatter(0, "red" if examples.values[0] == "blue" else "blue")
    ids.add(fit(dataclasses.replace(examples, values=flipped)).training_id)
    assert len(ids) == 4


def test_prompts_help_where_examples_are_few_and_do_no_harm_where_they_mislead() -> None:
    values = draw_values(24, seed=2)
    known = pl.DataFrame(
        {"sample_id": [f"s{row:02}" for row in range(24)], "value": values, "inclusion": 1.0}
    )
    examples = make_examples(known, draw_vectors(values, seed=2, width=60, apart=2.0))
    new = draw_values(1_000, seed=8)
    vectors = draw_vectors(new, seed=8, width=60, apart=2.0)
    alone = share_right(fit(examples, NAMES[:2]), new, vectors)
    good = share_right(fit(examples, NAMES[:2], np.eye(60)[:2]), new, vectors)
    bad = share_right(fit(examples, NAMES[:2], np.eye(60)[10:12]), new, vectors)
    assert good > alone + 0.05
    assert bad > alone - 0.1


def test_vectors_of_another_encoder_are_refused() -> None:
    probe = fit(draw_examples(60))
    vectors = Vectors(pl.Series(["a"]), np.zeros((1, 24), np.float32), "other")
    with pytest.raises(EncoderMismatchError, match="trained on vectors of enc"):
        probe.label(vectors, sample_ids=vectors.keys, min_margin=0.0, label_id="id")


@pytest.mark.parametrize("count", [20, 80])  # fewer samples than features, and more
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.4, 0.3, 0.3)])
def test_the_regression_is_that_of_the_features_as_they_are(
    count: int, shares: tuple[float, ...]
) -> None:
    from sklearn.linear_model import LogisticRegression

    values = draw_values(count, shares=shares, seed=6)
    vectors = draw_vectors(values, width=30)
    codes = np.array([sorted(set(values)).index(value) for value in values])
    found = make_features(vectors, None)
    probe = found.restore(train(found.values, codes, codes.max() + 1, 1.0))
    middle = vectors.mean(axis=0)
    size = np.sqrt(((vectors - middle) ** 2).sum(axis=1).mean())
    model = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-8, max_iter=5_000)
    expected = model.fit((vectors - middle) / size, codes).predict_proba((vectors - middle) / size)
    logits = vectors @ probe.coefficients.T + probe.intercept
    ours = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.abs(ours - expected).max() < 0.01


def test_a_scale_makes_logits_as_sure_as_they_are_right() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4_000, 3))
    chances = np.exp(2.5 * logits) / np.exp(2.5 * logits).sum(axis=1, keepdims=True)
    codes = np.array([rng.choice(3, p=row) for row in chances])
    scale = fit_scale(logits, codes, np.ones(4_000))
    assert scale.factor == pytest.approx(2.5, rel=0.1)
    assert np.abs(scale.weigh(logits) - chances).max() < 0.1


def test_folds_split_no_cluster_and_share_out_each_value() -> None:
    rng = np.random.default_rng(2)
    codes = (rng.random(300) < 0.1).astype(np.int64)
    clusters = pl.Series([f"c{row // 2}" for row in range(300)])
    folds = assign_folds(codes, clusters, seed=0)
    together = pl.DataFrame({"cluster": clusters, "fold": folds}).group_by("cluster")
    assert set(together.agg(pl.col("fold").n_unique())["fold"]) == {1}
    rare = np.bincount(folds[codes == 1], minlength=10)
    assert rare.min() >= 1
    assert rare.max() <= rare.mean() + 4
