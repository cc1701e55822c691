"""A linear score finds planted members, and knows nothing of the image that it judges."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.mining.likeness import assign_folds, fit_likeness


def test_planted_members_score_higher_also_where_they_were_held_out() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1_200, 12))
    members = np.column_stack([vectors[:, 0] > 1.3, vectors[:, 1] + vectors[:, 2] > 2])
    images = pl.Series([str(number // 3) for number in range(1_200)])
    found = fit_likeness(vectors, members, images)
    fresh = rng.normal(size=(800, 12))
    truth = np.column_stack([fresh[:, 0] > 1.3, fresh[:, 1] + fresh[:, 2] > 2])
    for place in range(2):
        assert roc_auc_score(members[:, place], found.held_out[:, place]) > 0.97
        assert roc_auc_score(truth[:, place], found.score(fresh)[:, place]) > 0.97


def test_a_held_out_score_does_not_know_its_own_image() -> None:
    """On labels by chance alone held-out scores are worth nothing; those of the fit are."""
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(60, 40)), 4, axis=0)  # four equal crops of each image
    members = np.repeat(rng.random((60, 1)) < 0.4, 4, axis=0)
    images = pl.Series([str(number // 4) for number in range(240)])
    found = fit_likeness(vectors, members, images)
    assert roc_auc_score(members[:, 0], found.held_out[:, 0]) < 0.7
    assert roc_auc_score(members[:, 0], found.score(vectors)[:, 0]) > 0.75


def test_rows_of_an_image_share_a_fold_whatever_their_order() -> None:
    images = pl.Series(["b", "a", "b", "c", "a", "d", "e", "f"])
    folds = assign_folds(images)
    by_name = dict(zip(images, folds.tolist(), strict=True))
    assert [by_name[name] for name in images] == folds.tolist()
    turned = assign_folds(images.reverse())
    assert turned.tolist() == folds[::-1].tolist()
    assert len(set(folds.tolist())) == 5


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    vectors, members = rng.normal(size=(90, 5)), rng.random((90, 2)) < 0.3
    images = pl.Series([str(number) for number in range(90)])
    order = rng.permutation(90)
    one = fit_likeness(vectors, members, images)
    other = fit_likeness(vectors[order], members[order], images[order])
    assert other.held_out == pytest.approx(one.held_out[order])
