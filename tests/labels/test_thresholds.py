"""Margins for a wanted precision: the bound holds for new samples, and says where there is none."""

import numpy as np
import polars as pl
import pytest

from pipeline.labels.quality.thresholds import (
    MarginedLabels,
    choose_margin,
    explain_absence,
    list_thresholds,
)


def draw_labels(seed: int, n: int) -> MarginedLabels:
    """Return labels of which 75 % at margin 0 and all at margin 1 are right."""
    rng = np.random.default_rng(seed)
    margins = rng.random(n)
    right = rng.random(n) < 0.75 + 0.25 * margins**0.5
    return MarginedLabels(margins, right, np.ones(n), pl.Series([str(i) for i in range(n)]))


TRUE_PRECISION = draw_labels(10_000, 400_000)


def measure_true_precision(margin: float) -> float:
    return float(TRUE_PRECISION.right[TRUE_PRECISION.margins >= margin].mean())


@pytest.mark.parametrize("n", [150, 2000])
def test_the_bound_holds_out_of_sample_in_nineteen_of_twenty(n: int) -> None:
    failed = chosen = 0
    for seed in range(150):
        found = choose_margin(draw_labels(seed, n), value="yes", wanted=0.9)
        if found.margin is None:
            continue
        chosen += 1
        failed += measure_true_precision(found.margin) < 0.9
    assert chosen > 15
    assert failed <= 0.05 * 150


def test_the_least_margin_is_taken_and_more_is_kept_with_more_samples() -> None:
    few = choose_margin(draw_labels(1, 500), value="yes", wanted=0.93)
    many = choose_margin(draw_labels(1, 20_000), value="yes", wanted=0.93)
    assert few.margin is not None
    assert many.margin is not None
    assert many.margin < few.margin
    assert many.kept > few.kept
    assert many.precision_low is not None
    assert many.precision_low >= 0.93
    assert measure_true_precision(many.margin) == pytest.approx(many.precision, abs=0.02)


def test_right_labels_need_no_margin() -> None:
    labels = MarginedLabels(
        np.linspace(0.01, 1, 200), np.ones(200, bool), np.ones(200), pl.Series(map(str, range(200)))
    )
    assert choose_margin(labels, value="yes", wanted=0.95).margin == 0


def test_a_value_without_a_margin_says_why() -> None:
    poor = choose_margin(draw_labels(2, 300), value="yes", wanted=0.99)
    assert poor.margin is None
    assert poor.kept == 0
    assert "no margin is shown to give 99 %; the best one gives at least" in explain_absence(poor)
    none = MarginedLabels(
        np.zeros(0), np.zeros(0, bool), np.zeros(0), pl.Series([], dtype=pl.String)
    )
    nothing = choose_margin(none, value="no", wanted=0.9)
    frame = list_thresholds([poor, nothing], attribute="hat", origin="checks")
    assert frame["note"].to_list() == [explain_absence(poor), "no label of it is judged"]


def test_copies_of_an_image_and_uneven_weights_count_for_less() -> None:
    n = 90
    ids = pl.Series([str(i) for i in range(n)])
    ones, margins = np.ones(n), np.linspace(0.1, 1, n)
    alone = choose_margin(MarginedLabels(margins, ones > 0, ones, ids), value="v", wanted=0.95)
    copies = MarginedLabels(margins, ones > 0, ones, pl.Series([str(i // 3) for i in range(n)]))
    uneven = MarginedLabels(margins, ones > 0, np.where(np.arange(n) % 9, 1.0, 20.0), ids)
    assert alone.margin == 0
    assert choose_margin(copies, value="v", wanted=0.95).margin is None
    assert choose_margin(uneven, value="v", wanted=0.95).margin is None
