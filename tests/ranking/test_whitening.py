"""PCA and whitening against scikit-learn and by their definition."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from pipeline.exceptions import ConfigError
from pipeline.ranking.region_pooling import to_unit
from pipeline.ranking.whitening import Moments, fit_projection


def draw(count: int = 400, width: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + 3
    return to_unit(mixed.astype(np.float32))


@pytest.mark.parametrize("whiten", [False, True])
def test_projections_equal_those_of_scikit_learn(whiten: bool) -> None:  # noqa: FBT001 - a parameter
    vectors = draw()
    ours = fit_projection(Moments.gather([vectors]), dim=5, whiten=whiten).project(vectors)
    theirs = to_unit(PCA(5, whiten=whiten, svd_solver="full").fit_transform(vectors.astype(float)))
    assert ours @ ours.T == pytest.approx(theirs @ theirs.T, abs=1e-4)  # whatever the signs


def test_whitened_vectors_vary_alike_in_every_direction() -> None:
    vectors = draw()
    fitted = fit_projection(Moments.gather([vectors]), dim=8, whiten=True)
    spread = np.cov(((vectors - fitted.mean) @ fitted.axes).T)
    assert spread == pytest.approx(np.eye(8), abs=0.02)


def test_the_mean_alone_changes_cosines_as_all_axes_do() -> None:
    vectors = draw()
    moments = Moments.gather([vectors])
    center = fit_projection(moments, dim=None, whiten=False).project(vectors)
    rotated = fit_projection(moments, dim=8, whiten=False).project(vectors)
    assert center @ center.T == pytest.approx(rotated @ rotated.T, abs=1e-4)


def test_blocks_and_their_order_change_nothing() -> None:
    vectors = draw()
    whole = Moments.gather([vectors])
    parts = Moments.gather([vectors[300:], vectors[:10], vectors[10:300]])
    assert parts.count == whole.count == 400
    assert parts.covariance == pytest.approx(whole.covariance, abs=1e-12)
    assert whole.covariance == pytest.approx(np.cov(vectors.T, bias=True), abs=1e-7)


def test_more_axes_than_directions_are_refused() -> None:
    flat = draw()
    flat[:, 5:] = 0
    with pytest.raises(ConfigError, match="ask for at most 5"):
        fit_projection(Moments.gather([flat]), dim=6, whiten=True)
    with pytest.raises(ConfigError, match="ask for at most 3"):
        fit_projection(Moments.gather([draw(4)]), dim=4, whiten=True)
    with pytest.raises(ConfigError, match="no vectors"):
        Moments.gather([])
