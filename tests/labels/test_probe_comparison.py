"""Two labellings compared on checked samples: by kappa, weighted, by swaps."""

import numpy as np
import polars as pl
import pytest

from pipeline.labels.probes.label_comparison import LabelComparison, compare_labels
from pipeline.labels.probes.linear_probe import fit_probe
from pipeline.labels.probes.probe_notes import describe_choice
from tests.labels.probe_data import NAMES, draw_examples


def draw_labels(truth: list[str], right: float, rng: np.random.Generator) -> list[str]:
    other = {"yes": "no", "no": "yes"}
    return [value if rng.random() < right else other[value] for value in truth]


def compare(
    truth: list[str], one: list[str], other: list[str], clusters: list[int] | None = None
) -> LabelComparison:
    ids = pl.Series([str(row) for row in clusters or range(len(truth))])
    return compare_labels(
        pl.Series(truth), pl.Series(one), pl.Series(other),
        weights=np.ones(len(truth)), cluster_ids=ids,
    )  # fmt: skip


def test_better_labels_are_better() -> None:
    rng = np.random.default_rng(0)
    truth = ["yes"] * 60 + ["no"] * 140
    found = compare(truth, draw_labels(truth, 0.95, rng), draw_labels(truth, 0.8, rng))
    assert found.is_better
    assert found.p < 0.01
    assert found.right > 0.9 > 0.85 > found.other_right
    worse = compare(truth, draw_labels(truth, 0.8, rng), draw_labels(truth, 0.95, rng))
    assert not worse.is_better
    assert worse.p > 0.9


def test_kappas_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(1)
    truth = [NAMES[code] for code in rng.integers(0, 3, 90)]
    one = [value if rng.random() < 0.8 else "unknown" for value in truth]
    other = [value if rng.random() < 0.7 else NAMES[0] for value in truth]
    weights = rng.random(90) + 0.1
    found = compare_labels(
        pl.Series(truth), pl.Series(one), pl.Series(other),
        weights=weights, cluster_ids=pl.Series(range(90)).cast(pl.String),
    )  # fmt: skip
    assert found.kappa == pytest.approx(cohen_kappa_score(truth, one, sample_weight=weights))
    assert found.other_kappa == pytest.approx(
        cohen_kappa_score(truth, other, sample_weight=weights)
    )


def test_labels_alike_are_seldom_called_better() -> None:
    rng = np.random.default_rng(2)
    truth = ["yes"] * 30 + ["no"] * 90
    better = 0
    for _ in range(200):
        found = compare(truth, draw_labels(truth, 0.85, rng), draw_labels(truth, 0.85, rng))
        better += found.is_better
    assert 1 <= better <= 20  # 10 expected; 20 has a chance of 0.3 %


def test_a_difference_within_one_image_is_no_evidence() -> None:
    """Forty crops of one image that the one labels right and the other wrong: one observation."""
    truth = ["yes"] * 100 + ["no"] * 100
    one = list(truth)
    other = ["no"] * 40 + truth[40:]
    assert compare(truth, one, other).p < 0.001
    assert compare(truth, one, other, [0] * 40 + list(range(1, 161))).p == pytest.approx(
        0.5, abs=0.05
    )


def test_the_same_labels_have_p_1() -> None:
    truth = ["yes", "no"] * 20
    assert compare(truth, truth, truth).p == 1
    assert not compare(truth, truth, truth).is_better


def test_false_alarms_count_where_balanced_accuracy_hardly_sees_them() -> None:
    """Of 1,000, 20 have a hat: a fifth of false alarms is worse than two hats missed."""
    truth = ["yes"] * 20 + ["no"] * 980
    alarms = ["yes"] * 20 + ["yes"] * 60 + ["no"] * 920  # balanced accuracy .97
    misses = ["yes"] * 18 + ["no"] * 982  # balanced accuracy .95
    assert compare(truth, misses, alarms).is_better


@pytest.mark.parametrize(
    ("p", "used", "words"),
    [
        (0.0002, True, "probe from 120 checks, 94 % right against 88 %, agreement beyond chance "
         ".80 against .60, p < .001"),
        (0.031, True, "p = .031"),
        (0.31, False, "zero-shot: a probe from 120 checks is not shown to be better, 94 % right"),
    ],
)  # fmt: skip
def test_what_decides_is_said(p: float, used: bool, words: str) -> None:  # noqa: FBT001 - a case
    probe = fit_probe(draw_examples(120), attribute="a", values=NAMES, encoder_id="e")
    comparison = LabelComparison(120, 0.94, 0.88, 0.8, 0.6, p)
    assert words in describe_choice(probe, comparison, known=120, used=used)


def test_too_few_checks_are_said() -> None:
    note = describe_choice(None, None, known=7, used=False)
    assert (
        note == "zero-shot: 7 checks are too few for a probe, which needs 5 of each of two values"
    )


def test_values_that_a_probe_never_says_are_named() -> None:
    examples = draw_examples(60, shares=(0.5, 0.48, 0.02))
    probe = fit_probe(examples, attribute="a", values=NAMES, encoder_id="e")
    note = describe_choice(probe, None, known=60, used=True)
    assert "; it never says 'red' (" in note
