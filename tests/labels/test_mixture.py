"""Thresholds from scores alone: two planted heaps are found, one heap is said to be one."""

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Floats
from pipeline.labels.quality.ensembles import Weighed
from pipeline.labels.quality.mixture import cut_at_mixture, fit_mixture, fit_mixtures, list_mixtures


def weigh(differences: Floats) -> Weighed:
    """Return an attribute of two values whose logits differ so: yes over no."""
    yes = 1 / (1 + np.exp(-differences))
    probabilities = np.stack([yes, 1 - yes], axis=1)
    top_two = np.sort(probabilities, axis=1)
    return Weighed(
        pl.Series([f"s{i:05}" for i in range(len(yes))]),
        ("yes", "no"),
        probabilities,
        probabilities.argmax(axis=1),
        top_two[:, 1],
        top_two[:, 1] - top_two[:, 0],
    )


@pytest.mark.parametrize("share", [0.5, 0.06])
def test_the_threshold_lies_between_two_heaps_also_where_one_is_small(share: float) -> None:
    rng = np.random.default_rng(0)
    small = int(4000 * share)
    differences = np.r_[rng.normal(3, 0.5, small), rng.normal(-0.5, 0.6, 4000 - small)]
    found = fit_mixture(differences)
    assert found is not None
    assert found.supported
    assert 0.9 < found.threshold < 2.2
    assert found.separation > 4


def test_one_heap_is_not_supported() -> None:
    found = fit_mixture(np.random.default_rng(1).normal(0, 1, 4000))
    assert found is None or not found.supported


def test_too_few_or_equal_scores_give_nothing() -> None:
    assert fit_mixture(np.linspace(0, 1, 49)) is None
    assert fit_mixture(np.ones(100)) is None


def test_a_shifted_attribute_is_cut_where_the_heaps_part_and_the_margin_says_so() -> None:
    rng = np.random.default_rng(2)
    true = np.arange(3000) < 300
    weighed = weigh(np.where(true, rng.normal(4, 0.6, 3000), rng.normal(0.5, 0.6, 3000)))
    mixtures = fit_mixtures(weighed)
    cut = cut_at_mixture(weighed, mixtures["yes"])
    assert ((cut["value"] == "yes").to_numpy() == true).mean() > 0.99
    assert ((weighed.labels["value"] == "yes").to_numpy() == true).mean() < 0.5
    [row] = list_mixtures(weighed, mixtures, attribute="hat").to_dicts()
    assert (row["value"], row["origin"], row["note"]) == ("yes", "mixture", None)
    kept = weighed.margin >= row["margin"]
    labelled = weighed.best == 0
    assert true[kept & labelled].mean() > 0.95  # as min_margin it leaves the wrong ones unknown


def test_a_threshold_below_zero_is_the_margin_of_the_other_value() -> None:
    rng = np.random.default_rng(3)
    differences = np.r_[rng.normal(-0.5, 0.4, 500), rng.normal(-4, 0.5, 500)]
    weighed = weigh(differences)
    [row] = list_mixtures(weighed, fit_mixtures(weighed), attribute="hat").to_dicts()
    assert row["value"] == "no"
    assert row["margin"] == pytest.approx(np.tanh(2 / 2), abs=0.1)
