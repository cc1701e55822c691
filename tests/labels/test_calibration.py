"""Calibration: bold scores are mended, and nothing is judged by a fit that has seen it."""

import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Array
from pipeline.labels.quality.calibration import (
    Calibrated,
    calibrate_scores,
    choose_fit,
    list_reliability,
    measure_calibration,
    measure_calibration_error,
)


def calibrate(score: Array, hits: Array, clusters: list[str] | None = None) -> Calibrated:
    ids = pl.Series(clusters or [str(i) for i in range(len(score))])
    found = calibrate_scores(
        score, hits.astype(float), weights=np.ones(len(score)), cluster_ids=ids
    )
    assert found is not None
    return found


def test_the_error_of_perfect_scores_is_small_and_that_of_bold_ones_is_not() -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(0.5, 1, 20_000)
    hits = (rng.random(20_000) < score).astype(float)
    ones = np.ones(20_000)
    assert measure_calibration_error(score, hits, ones) < 0.015
    assert measure_calibration_error(np.full(20_000, 0.95), hits, ones) == pytest.approx(
        0.2, abs=0.01
    )


@pytest.mark.parametrize(("n", "fit"), [(300, "Platt"), (4000, "isotonic")])
def test_bold_scores_are_mended_for_samples_that_the_fit_has_not_seen(n: int, fit: str) -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, n)
    hits = rng.random(n) < 1 / (1 + np.exp(-logits))
    bold = 1 / (1 + np.exp(-3 * logits))
    found = calibrate(bold, hits)
    assert found.fit == fit
    [row] = measure_calibration(found, attribute="hat", value="yes").to_dicts()
    assert row["calibration_error_fitted"] < 0.6 * row["calibration_error"]
    assert row["brier_fitted"] < row["brier"]


def test_a_fit_to_noise_shows_no_skill() -> None:
    """A step function fitted to the samples that judge it would seem to know something."""
    rng = np.random.default_rng(2)
    score, hits = rng.random(3000), rng.random(3000) < 0.5
    found = calibrate(score, hits)
    assert found.fit == "isotonic"
    [row] = measure_calibration(found, attribute="hat", value=None).to_dicts()
    assert row["brier_fitted"] >= 0.2495


def test_copies_of_one_image_are_in_one_fold() -> None:
    """Else a copy in another fold would give a sample's own answer away."""
    rng = np.random.default_rng(3)
    score = np.repeat(rng.random(600), 5)
    hits = np.repeat(rng.random(600) < 0.5, 5)
    images = [f"i{i // 5}" for i in range(3000)]
    apart = calibrate(score, hits)
    together = calibrate(score, hits, images)

    def brier(one: Calibrated) -> float:
        return float(measure_calibration(one, attribute="a", value=None)["brier_fitted"][0])

    assert brier(together) > brier(apart)
    assert brier(together) >= 0.25


def test_what_cannot_be_calibrated_is_not() -> None:
    ones = np.ones(10)
    ids = pl.Series([str(i) for i in range(10)])
    assert calibrate_scores(ones / 2, ones, weights=ones, cluster_ids=ids) is None
    two = pl.Series(["a", "b"] * 5)
    hits = np.array([0.0, 1.0] * 5)
    assert calibrate_scores(ones / 2, hits, weights=ones, cluster_ids=two) is None


def test_few_wrong_samples_get_two_parameters() -> None:
    hits = np.ones(5000)
    hits[:99] = 0
    assert choose_fit(hits) == "Platt"
    hits[:100] = 0
    assert choose_fit(hits) == "isotonic"


def test_a_diagram_has_the_score_and_the_fit_in_ten_bins_each() -> None:
    rng = np.random.default_rng(4)
    score = rng.random(500)
    points = list_reliability(calibrate(score, rng.random(500) < score), attribute="a", value=None)
    assert points.group_by("fit").len().sort("fit").rows() == [("Platt", 10), ("score", 10)]
    assert points["n"].to_list() == [50] * 20
    assert points.select((pl.col("observed_low") <= pl.col("observed")).all()).item()
    rising = points.filter(pl.col("fit") == "score")["predicted"]
    assert rising.is_sorted()
