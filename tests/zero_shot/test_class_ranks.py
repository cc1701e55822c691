"""Ranks of the true class equal torch.topk; ties are counted; accuracy by line and class."""

import numpy as np
import polars as pl
import pytest
import torch

from pipeline.zero_shot.accuracy_tables import count_confusions, measure_accuracy, measure_classes
from pipeline.zero_shot.class_ranks import rank_classes, weigh_classes
from pipeline.zero_shot.class_vectors import make_unit


def test_right_among_k_equals_torch_topk() -> None:
    rng = np.random.default_rng(3)
    classes = make_unit(rng.normal(size=(12, 8)))
    images = make_unit(rng.normal(size=(9000, 8)))  # more than a block
    truth = rng.integers(0, 12, 9000)
    ranks = rank_classes(images, classes, truth)
    for k in (1, 3, 5):
        best = torch.topk(torch.from_numpy(images @ classes.T), k).indices
        right = (best == torch.from_numpy(truth)[:, None]).any(dim=1).numpy()
        assert (ranks.is_right(k) == right).all()
        assert not ranks.is_tied(k).any()
    assert 0.05 < ranks.is_right(1).mean() < 0.15
    assert (ranks.is_right(1) == (ranks.predicted == truth)).all()


def test_equal_classes_are_ties_in_the_order_of_the_classes() -> None:
    classes = make_unit(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    ranks = rank_classes(np.array([[1.0, 0.1]] * 3), classes, np.array([0, 1, 2]))
    assert ranks.predicted.tolist() == [0, 0, 0]
    assert ranks.is_right(1).tolist() == [True, False, False]
    assert ranks.is_tied(1).tolist() == [True, True, False]
    assert ranks.is_right(2).tolist() == [True, True, False]
    assert ranks.is_tied(2).tolist() == [False, False, False]


def test_images_without_true_class_do_not_count() -> None:
    classes = np.eye(3)
    truth = np.array([0, -1, 2, 1])
    ranks = rank_classes(np.eye(3)[[0, 1, 0, 1]], classes, truth)
    table = measure_accuracy({"x": ranks}, [1, 2], groups=pl.Series(list("abcd")))
    assert table["n"].to_list() == [3, 3]
    assert table["accuracy"].to_list() == pytest.approx([2 / 3, 2 / 3])
    assert table["ties"].to_list() == [
        0,
        1,
    ]  # the third: classes 1 and 2 are equal behind the first
    confusions = count_confusions(ranks, truth, ["a", "b", "c"])
    assert confusions.rows() == [("a", "a", 1), ("b", "b", 1), ("c", "a", 1)]
    worst = measure_classes(confusions).row(0, named=True)
    assert (worst["class"], worst["accuracy"], worst["mistaken_for"]) == ("c", 0.0, "a")
    assert worst["ci_high"] == pytest.approx(0.793, abs=1e-3)  # Wilson's, of 0 in 1


def test_objects_of_one_image_make_the_interval_wider() -> None:
    truth = np.repeat([0, 1], 50)
    ranks = rank_classes(np.tile([1.0, 0.0], (100, 1)), np.eye(2), truth)
    alone = measure_accuracy({"x": ranks}, [1], groups=pl.Series(range(100)))
    together = measure_accuracy({"x": ranks}, [1], groups=pl.Series(np.arange(100) // 10))
    assert alone["accuracy"][0] == together["accuracy"][0] == 0.5
    widths = [one["ci_high"][0] - one["ci_low"][0] for one in (alone, together)]
    assert widths[1] > 2 * widths[0]


def test_probabilities_are_softmax_at_the_scale() -> None:
    cosines = np.array([[0.3, 0.2]])
    expected = torch.softmax(torch.tensor([[30.0, 20.0]], dtype=torch.float64), dim=1)
    assert weigh_classes(cosines, logit_scale=100.0) == pytest.approx(expected.numpy())
