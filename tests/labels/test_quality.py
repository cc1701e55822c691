"""Quality of labels: counts made by hand, scikit-learn's numbers, and intervals that cover."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score, precision_score, recall_score

from pipeline.arrays import Mask
from pipeline.labels.quality.judged_labels import JudgedLabels, judge_labels
from pipeline.labels.quality.quality_measures import (
    count_confusion,
    measure_quality,
)

TRUE = ["yes", "yes", "yes", "no", "no", "no", "unknown"]
GIVEN = ["yes", "yes", "unknown", "no", "no", "yes", "yes"]


def judge(
    given: list[str],
    true: list[str],
    *,
    inclusion: list[float | None] | None = None,
    clusters: list[str] | None = None,
) -> JudgedLabels:
    ids = [f"s{i:05}" for i in range(len(true))]
    truth = pl.DataFrame(
        {"sample_id": ids, "value": true, "inclusion": inclusion or [1.0] * len(ids)},
        schema_overrides={"inclusion": pl.Float64, "value": pl.String},
    )
    predicted = pl.DataFrame(
        {"sample_id": ids, "value": given}, schema_overrides={"value": pl.String}
    )
    own = pl.DataFrame({"sample_id": ids, "cluster_id": clusters or ids})
    return judge_labels(predicted, truth, own, values=["yes", "no"])


def measure(judged: JudgedLabels) -> pl.DataFrame:
    return measure_quality(judged, attribute="hat", method="in use", judged_by="truth")


def row_of(judged: JudgedLabels, value: str | None) -> dict[str, float]:
    own = pl.col("value").is_null() if value is None else pl.col("value") == value
    return measure(judged).filter(own).row(0, named=True)


def test_counts_and_shares_made_by_hand() -> None:
    quality = measure(judge(GIVEN, TRUE))
    assert quality.select("value", "n", "support", "labelled").rows() == [
        (None, 6, 6, 5),
        ("yes", 6, 3, 3),
        ("no", 6, 3, 2),
    ]
    yes = row_of(judge(GIVEN, TRUE), "yes")
    assert (yes["precision"], yes["recall"]) == pytest.approx((2 / 3, 2 / 3))
    assert yes["f1"] == pytest.approx(2 / 3)
    assert yes["abstention"] == pytest.approx(1 / 3)
    whole = row_of(judge(GIVEN, TRUE), None)
    assert whole["accuracy"] == pytest.approx(4 / 5)
    assert whole["abstention"] == pytest.approx(1 / 6)
    assert whole["recall"] == pytest.approx(2 / 3)  # the mean of both values
    assert whole["kappa"] == pytest.approx((4 / 5 - 12 / 25) / (1 - 12 / 25))


def test_confusion_leaves_out_samples_without_truth() -> None:
    confusion = count_confusion(judge(GIVEN, TRUE), attribute="hat", method="in use")
    assert confusion.select("truth", "value", "n").rows() == [
        ("yes", "yes", 2),
        ("yes", "no", 0),
        ("yes", "unknown", 1),
        ("no", "yes", 1),
        ("no", "no", 2),
        ("no", "unknown", 0),
    ]
    assert confusion["share"].to_list() == pytest.approx([2 / 3, 0, 1 / 3, 1 / 3, 2 / 3, 0])


def test_what_does_not_exist_is_null() -> None:
    never = judge(["no", "no"], ["yes", "no"])
    assert row_of(never, "yes")["precision"] is None
    assert row_of(never, "yes")["f1"] == 0
    nothing = row_of(judge(["unknown"], ["yes"]), None)
    assert nothing["accuracy"] is None
    assert nothing["kappa"] is None
    assert measure(judge([], [])).is_empty()


def test_objects_of_one_image_count_as_one() -> None:
    given, true = ["yes", "no"] * 60, ["yes"] * 120
    alone = row_of(judge(given, true), "yes")
    pairs = row_of(judge(given, true, clusters=[f"i{i // 12}" for i in range(120)]), "yes")
    same = row_of(judge(sorted(given), true, clusters=[f"i{i // 12}" for i in range(120)]), "yes")
    assert alone["recall"] == pairs["recall"] == same["recall"] == 0.5
    assert same["recall_high"] - same["recall_low"] > 2 * (
        alone["recall_high"] - alone["recall_low"]
    )
    assert same["effective_n"] == pytest.approx(10)


def draw_world(seed: int) -> tuple[Mask, Mask, np.random.Generator]:
    """Return truth and labels of 4,000 samples: 6 % are yes, of which 85 % are labelled so."""
    rng = np.random.default_rng(seed)
    true = rng.random(4000) < 0.06
    given = np.where(true, rng.random(4000) < 0.85, rng.random(4000) < 0.04)
    return true, given, rng


def check_some(seed: int, *, each: int = 50) -> tuple[dict[str, float], dict[str, float]]:
    """Return the quality of "yes" in a world, and as estimated from `each` checks of each label."""
    true, given, rng = draw_world(seed)
    picks = [rng.choice(np.flatnonzero(own), each, replace=False) for own in (given, ~given)]
    drawn = np.concatenate(picks)
    inclusion = np.where(given, each / given.sum(), each / (~given).sum())
    words = np.array(["no", "yes"])
    checked = judge(
        words[given[drawn].astype(int)].tolist(),
        words[true[drawn].astype(int)].tolist(),
        inclusion=inclusion[drawn].tolist(),
    )
    everything = judge(words[given.astype(int)].tolist(), words[true.astype(int)].tolist())
    return row_of(everything, "yes"), row_of(checked, "yes")


def test_checks_by_label_are_unbiased_and_their_intervals_cover() -> None:
    """Recall is the hard one: of what is labelled "no" 50 checks find one hat, or none."""
    pairs = [check_some(seed) for seed in range(60)]
    for name in ("accuracy", "precision", "recall", "f1"):
        covered = [one[f"{name}_low"] <= real[name] <= one[f"{name}_high"] for real, one in pairs]
        assert np.mean(covered) >= 0.9, name
    errors = [one["precision"] - real["precision"] for real, one in pairs]
    assert abs(np.mean(errors)) < 0.03
    missed = [one for _, one in pairs if one["recall"] == 1]
    assert missed
    assert all(one["recall_low"] < 0.7 for one in missed)  # none seen is not none there


def test_checks_of_unknown_inclusion_weigh_as_the_others_on_average() -> None:
    judged = judge(["yes", "no", "no"], ["yes", "yes", "no"], inclusion=[0.5, 0.25, None])
    assert judged.weights.tolist() == [2, 4, 3]
    without = judge(["yes", "no"], ["yes", "yes"], inclusion=[None, None])
    assert without.weights.tolist() == [1, 1]
    assert not without.is_weighted


WORDS = st.sampled_from(["yes", "no", "c"])


@pytest.mark.slow
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=40))
def test_numbers_equal_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    given, true = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    quality = measure(judge(given, true))
    scores = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
    for row in quality.filter(pl.col("value").is_not_null()).iter_rows(named=True):
        only = {"labels": [row["value"]], "average": "micro", "zero_division": 0}
        for name, score in scores.items():
            assert (row[name] or 0) == pytest.approx(score(true, given, **only))
            if row[name] is not None:
                assert row[f"{name}_low"] <= row[name] + 1e-9
                assert row[f"{name}_high"] >= row[name] - 1e-9
    kappa = quality["kappa"][0]
    if kappa is not None:
        assert kappa == pytest.approx(cohen_kappa_score(true, given), abs=1e-9)
    else:
        assert len({*given, *true}) == 1


@given(st.permutations(range(7)))
def test_the_order_of_samples_changes_nothing(order: list[int]) -> None:
    ids = [f"s{i}" for i in order]
    truth = pl.DataFrame(
        {"sample_id": ids, "value": [TRUE[i] for i in order], "inclusion": [1.0] * 7}
    )
    predicted = pl.DataFrame({"sample_id": ids, "value": [GIVEN[i] for i in order]})
    own = pl.DataFrame({"sample_id": ids, "cluster_id": ids})
    shuffled = judge_labels(predicted, truth, own, values=["yes", "no"])
    assert measure(shuffled).equals(measure(judge(GIVEN, TRUE)))
