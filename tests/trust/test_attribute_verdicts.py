import numpy as np
import polars as pl
import pytest

from pipeline.arrays import Floats
from pipeline.trust.attribute_verdicts import (
    ENDANGERED,
    GOOD,
    NOTHING_FOUND,
    POOR,
    Measured,
    judge_attributes,
)
from pipeline.trust.group_accuracy import (
    LEANS,
    NO_DIFFERENCE,
    NOT_MEASURED,
    GroupBias,
    compare_accuracy,
)
from pipeline.vocabulary import INSUFFICIENT

NOT_COMPARED = GroupBias(NOT_MEASURED)


def quality(value: float, half: float = 0.03) -> dict[str, float]:
    return {"accuracy": value, "accuracy_low": value - half, "accuracy_high": value + half}


def flips(verdict: str, value: float = 0.34) -> dict[str, object]:
    return {"difference": value, "difference_low": 0.3, "difference_high": 0.4, "verdict": verdict}


def test_one_sentence_names_all_that_endangers_an_attribute() -> None:
    leaning = GroupBias(LEANS, "gender = woman", -0.12, -0.18, -0.06)
    row = judge_attributes([Measured("hat", quality(0.6), flips("reads text"), leaning)]).row(
        0, named=True
    )
    assert (row["verdict"], row["quality"]) == (ENDANGERED, POOR)
    assert row["note"] == (
        "Labels of hat are right in 60% only, follow a word written into the picture in 34% and "
        "are right less often where gender = woman (by 12 points)."
    )


@pytest.mark.parametrize(
    ("measured", "verdict", "judged"),
    [
        (Measured("a", None, None, NOT_COMPARED), NOT_MEASURED, NOT_MEASURED),
        (Measured("a", quality(0.9), None, NOT_COMPARED), NOTHING_FOUND, GOOD),
        (Measured("a", quality(0.8), None, NOT_COMPARED), NOTHING_FOUND, INSUFFICIENT),
        (Measured("a", None, flips("no effect shown"), NOT_COMPARED), NOTHING_FOUND, NOT_MEASURED),
    ],
)
def test_without_danger_there_is_no_note(measured: Measured, verdict: str, judged: str) -> None:
    row = judge_attributes([measured]).row(0, named=True)
    assert (row["verdict"], row["quality"], row["note"]) == (verdict, judged, None)


def draw(
    rng: np.random.Generator, *, images: int, gap: float
) -> tuple[Floats, pl.Series, pl.Series]:
    """Three samples an image that are right together; groups by image."""
    group = rng.integers(0, 2, images)
    shared = rng.random(images) < 0.85 - gap * group
    own = rng.random(3 * images) < 0.85
    right = np.where(rng.random(3 * images) < 0.8, np.repeat(shared, 3), own)
    names = pl.Series(np.where(np.repeat(group, 3), "woman", "man"))
    return right.astype(np.float64), names, pl.Series(np.repeat(np.arange(images), 3))


def test_a_planted_gap_between_groups_is_named_with_its_group() -> None:
    right, names, images = draw(np.random.default_rng(0), images=500, gap=0.25)
    found = compare_accuracy(right, {"gender": names}, images)
    assert (found.verdict, found.group) == (LEANS, "gender = man")
    assert found.low is not None
    assert found.low > 0.1


@pytest.mark.slow
def test_a_gap_at_the_edge_of_what_counts_is_called_in_at_most_one_of_twenty() -> None:
    rng = np.random.default_rng(1)
    called = naive = 0
    for _ in range(300):
        right, names, images = draw(rng, images=300, gap=0.0375)  # 0.03 after other errors
        called += compare_accuracy(right, {"gender": names}, images).verdict == LEANS
        alone = pl.Series(np.arange(len(right)))
        naive += compare_accuracy(right, {"gender": names}, alone).verdict == LEANS
    assert called <= 16  # 7.5 are expected on the one side; more than 16 once in a thousand
    assert naive > called


def test_few_samples_are_not_compared_and_wide_intervals_stay_open() -> None:
    right, names, images = draw(np.random.default_rng(2), images=12, gap=0.0)
    assert compare_accuracy(right, {"gender": names}, images).verdict == NOT_MEASURED
    right, names, images = draw(np.random.default_rng(5), images=40, gap=0.0)
    assert compare_accuracy(right, {"gender": names}, images).verdict == INSUFFICIENT
    right, names, images = draw(np.random.default_rng(4), images=2000, gap=0.0)
    assert compare_accuracy(right, {"gender": names}, images).verdict == NO_DIFFERENCE
